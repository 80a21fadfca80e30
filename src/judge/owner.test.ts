import { expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { addressOf, advert, bound, DIRECTORS, fault, holds, historyInTime, mark, VIP } from './examples.ts'
import { checkSingleOwner } from './owner.ts'

const directors = DIRECTORS.map(node => ({ node, address: addressOf(node) }))
const judge = (events: LabEvent[], causes: string[] = []) =>
  checkSingleOwner(historyInTime(events), { vip: VIP, directors, bound: bound(1000), causes })

it('passes when one holds it, and when a handover overlaps shortly', () => {
  expect(judge([holds(0, 'd1'), mark(9000)])).toMatchObject({ outcome: 'PASS', measurements: [{ value: 0 }] })
  const handover = judge([holds(0, 'd1'), holds(5000, 'd2'), holds(5040, 'd1', 'remove')])
  expect(handover).toMatchObject({ outcome: 'PASS', measurements: [{ value: 40 }] })
  expect(handover.proof).toHaveLength(3)
})

it('fails on a dual MASTER with both addresses, the adverts of both and the causes', () => {
  const events = [holds(0, 'd1'), holds(3000, 'd2'), advert(4000, 'd1', 150), advert(4001, 'd2'), mark(15_000)]
  const verdict = judge(events, ['auth_pass differs between d1 and d2'])
  expect(verdict.outcome).toBe('FAIL')
  expect(verdict.reason).toBe(
    'Dual MASTER: d1 (10.0.0.2) and d2 (10.0.0.3) both held the VIP 10.0.0.100 for 12 s, and both sent adverts ' +
      '(at most 1 s allowed: 1000 ms). On paper: auth_pass differs between d1 and d2.',
  )
  expect(verdict.proof.map(event => event.kind)).toEqual(['address', 'address', 'advert', 'advert'])
})

it('knows the one advert of a director that sent it before it added the VIP, and was silent from then on', () => {
  const events = [holds(0, 'd1'), advert(2990, 'd2'), holds(3000, 'd2'), advert(4000, 'd1', 150), mark(15_000)]
  expect(judge(events).proof.map(event => event.kind)).toEqual(['address', 'advert', 'address', 'advert'])
})

it('reports the stale VIP of a crashed director, but does not count it', () => {
  const crash = fault(5000, 'keepalived-crash', 'd1')
  const stale = judge([holds(0, 'd1'), crash, holds(8000, 'd2'), mark(60_000)])
  expect(stale).toMatchObject({
    outcome: 'PASS',
    reason: expect.stringContaining('d1 (keepalived-crash) kept 10.0.0.100 while nobody attended to it there'),
  })
  const heal = fault(20_000, 'keepalived-crash', 'd1', 'heal')
  expect(judge([holds(0, 'd1'), crash, holds(8000, 'd2'), heal, mark(60_000)]).outcome).toBe('FAIL')
})

it('does not take a VIP on two devices of one node for two owners', () => {
  const second: LabEvent = { kind: 'address', t: 10, change: 'add', node: 'd1', device: 'lo', address: VIP, prefix: 32 }
  expect(judge([holds(0, 'd1'), second, mark(9000)]).outcome).toBe('PASS')
})

it('says nothing when nobody was seen to hold it', () => {
  expect(judge([mark(9000)]).outcome).toBe('INCONCLUSIVE')
})
