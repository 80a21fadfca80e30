import { describe, expect, it } from 'vitest'
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

it('proves an overlap by who took the VIP before it, and who gave it up after, however it ended', () => {
  const address = (t: number, node: string, change: 'add' | 'remove', address = VIP): LabEvent => ({
    ...(holds(t, node, change) as Extract<LabEvent, { kind: 'address' }>),
    address,
  })
  const twice = [holds(0, 'd1'), holds(3000, 'd2'), fault(8000, 'keepalived-crash', 'd1')]
  const after = [
    address(8500, 'd1', 'remove', '10.0.0.101'),
    address(8600, 'd3', 'remove'),
    address(8700, 'd2', 'add'),
    address(9000, 'd1', 'remove'),
  ]
  const verdict = judge([...twice, ...after, mark(9500)])
  expect(verdict.outcome).toBe('FAIL')
  expect(verdict.proof.map(event => event.t)).toEqual([0, 3000, 9000])
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

describe('a director that nobody attends to', () => {
  it.each(['keepalived-crash', 'keepalived-freeze', 'node-pause', 'node-kill'])('is no owner under %s', name => {
    const verdict = judge([holds(0, 'd1'), fault(5000, name, 'd1'), holds(8000, 'd2'), mark(60_000)])
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining(` d1 (${name}) kept 10.0.0.100 while nobody attended to it there.`),
      measurements: [{ value: 0 }],
    })
  })

  it('is one under a fault that lets it tidy up', () => {
    const verdict = judge([holds(0, 'd1'), fault(5000, 'keepalived-stop', 'd1'), holds(8000, 'd2'), mark(60_000)])
    expect(verdict.outcome).toBe('FAIL')
    expect(verdict.reason).not.toContain('attended')
  })

  it('is reported only for what it still held', () => {
    const gave = [holds(0, 'd1'), holds(4000, 'd1', 'remove'), fault(5000, 'keepalived-crash', 'd1'), mark(9000)]
    expect(judge(gave).reason).not.toContain('attended')
    const other = [holds(0, 'd1'), fault(5000, 'keepalived-crash', 'd2'), mark(9000)]
    expect(judge(other).reason).not.toContain('attended')
    const later = [fault(5000, 'keepalived-crash', 'd1'), holds(6000, 'd1'), mark(9000)]
    expect(judge(later).reason).not.toContain('attended')
  })

  it('counts the faults that it was told of', () => {
    const told = checkSingleOwner(
      historyInTime([holds(0, 'd1'), fault(5000, 'power-cut', 'd1'), holds(8000, 'd2'), mark(60_000)]),
      { vip: VIP, directors, bound: bound(1000), staleFaults: ['power-cut'] },
    )
    expect(told.outcome).toBe('PASS')
  })
})

describe('directors that are kept apart', () => {
  const split: LabEvent = { ...fault(5000, 'partition', 'd1'), params: { from: ['d2'] } }
  const healed: LabEvent = { ...fault(20_000, 'partition', 'd1', 'heal', 100), params: { from: ['d2'] } }
  const both = [holds(0, 'd1'), holds(8600, 'd2')]

  it('may both hold the VIP while they are, which is reported', () => {
    const verdict = judge([...both, split, healed, holds(21_000, 'd2', 'remove'), mark(40_000)])
    expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{ value: 900 }] })
    expect(verdict.reason).toContain(
      'While partition on d1 kept them apart, d1 and d2 both held 10.0.0.100, for 11.5 s, as expected.',
    )
    expect(judge([...both, split, mark(40_000)])).toMatchObject({ outcome: 'PASS', measurements: [{ value: 0 }] })
    expect(judge([...both, fault(5000, 'vrrp-block', 'd2'), mark(40_000)]).outcome).toBe('PASS')
  })

  it('may not do so for longer than a handover once it is healed, nor before it began', () => {
    expect(judge([...both, split, healed, holds(21_101, 'd2', 'remove')])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringMatching(/both held the VIP 10.0.0.100 for 1 s.* kept them apart/),
      measurements: [{ value: 1001 }],
    })
    expect(judge([holds(0, 'd1'), holds(3999, 'd2'), split, mark(40_000)])).toMatchObject({
      outcome: 'FAIL',
      measurements: [{ value: 1001 }],
    })
  })

  it('fail on the same side, under another fault, or where that fault allows nothing', () => {
    const elsewhere: LabEvent = { ...fault(5000, 'partition', 'd1'), params: { from: ['c1'] } }
    const verdict = judge([...both, elsewhere, mark(40_000)])
    expect(verdict.outcome).toBe('FAIL')
    expect(verdict.reason).not.toContain('apart')
    expect(judge([...both, fault(5000, 'netem', 'd1'), mark(40_000)]).outcome).toBe('FAIL')
    const strict = checkSingleOwner(historyInTime([...both, split, mark(40_000)]), {
      vip: VIP,
      directors,
      bound: bound(1000),
      allowedDuring: [],
    })
    expect(strict.outcome).toBe('FAIL')
  })

  it('says nothing of a fault in which only one held it', () => {
    expect(judge([holds(0, 'd1'), split, mark(40_000)]).reason).not.toContain('apart')
    const before = [holds(0, 'd1'), holds(1000, 'd2'), holds(1500, 'd1', 'remove')]
    expect(judge([...before, split, mark(40_000)]).reason).not.toContain('apart')
  })
})

it('names the longest time that two held it, in the order of the directors', () => {
  const short = [holds(0, 'd2'), holds(1000, 'd1'), holds(1200, 'd1', 'remove')]
  const verdict = judge([...short, holds(5000, 'd1'), holds(5900, 'd2', 'remove'), mark(9000)])
  expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{ value: 900 }] })
  const long = judge([...short, holds(5000, 'd1'), mark(9000)])
  expect(long.reason).toMatch(
    /^Dual MASTER: d1 \(10.0.0.2\) and d2 \(10.0.0.3\) both held the VIP 10.0.0.100 for 4 s \(at/,
  )
  expect(judge([...short, holds(5000, 'd1'), advert(6000, 'd1'), mark(9000)]).reason).toContain(
    '4 s, and one of them sent adverts (at',
  )
})

it('keeps its bound to the millisecond', () => {
  const handover = (ms: number) => judge([holds(0, 'd1'), holds(5000, 'd2'), holds(5000 + ms, 'd1', 'remove')]).outcome
  expect([handover(1000), handover(1001)]).toEqual(['PASS', 'FAIL'])
})

it('says of a director only what is its own', () => {
  const moved = [holds(0, 'd1'), holds(1000, 'd1', 'remove'), holds(1000, 'd2')]
  expect(judge([...moved, fault(5000, 'keepalived-crash', 'd1'), mark(9000)]).reason).not.toContain('attended')
  expect(
    judge([holds(0, 'd1'), holds(5000, 'd1', 'remove'), fault(5000, 'keepalived-crash', 'd1')]).reason,
  ).not.toContain('attended')
  const fail = judge([holds(0, 'd1'), holds(3000, 'd2'), mark(15_000)])
  expect(fail.reason).toMatch(/allowed: 1000 ms\)\.$/)
  expect(judge([holds(0, 'd1'), mark(15_000)]).reason).toMatch(/allowed: 1000 ms\)\.$/)
})

it('counts adverts from one interval before to the end, but no goodbye', () => {
  const said = (...adverts: LabEvent[]) =>
    judge([holds(0, 'd1'), holds(5000, 'd2'), holds(9000, 'd1', 'remove'), ...adverts, mark(20_000)]).reason
  const d2 = advert(5001, 'd2')
  expect(said(d2, advert(4000, 'd1'))).toContain('both sent adverts')
  expect(said(d2, advert(9000, 'd1'))).toContain('both sent adverts')
  for (const none of [advert(3999, 'd1'), advert(9001, 'd1'), advert(6000, 'd1', 0)])
    expect(said(d2, none)).toContain('one of them sent adverts')
  expect(said()).not.toContain('adverts')
})

it('shows when each of the two came to hold it, and what ended it', () => {
  const other = (t: number, node: string, change: 'add' | 'remove') =>
    ({ ...holds(t, node, change), address: '10.0.0.101' }) as LabEvent
  const before = [holds(0, 'd1'), other(10, 'd1', 'add'), holds(4000, 'd2'), holds(4500, 'd2', 'remove')]
  const overlap = [
    holds(5000, 'd2'),
    other(8000, 'd1', 'remove'),
    holds(9000, 'd1', 'remove'),
    holds(9500, 'rs1', 'remove'),
  ]
  const after = [holds(9600, 'd1'), holds(9700, 'd2', 'remove')]
  const verdict = judge([...before, ...overlap, ...after, mark(20_000)])
  expect(verdict.proof.map(event => event.t)).toEqual([0, 5000, 9000])
})
