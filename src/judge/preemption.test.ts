import { expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { bound, DIRECTORS, fault, holds, historyInTime, mark, requests, VIP } from './examples.ts'
import { checkPreemption } from './preemption.ts'

const crash = fault(1000, 'keepalived-crash', 'd1')
const heal = fault(10_000, 'keepalived-crash', 'd1', 'heal', 50)
const params = { vip: VIP, directors: DIRECTORS, to: 'd1', fault: 'keepalived-crash', bound: bound(3400) }
const start = [holds(0, 'd1'), crash, holds(4000, 'd2'), heal]
const judge = (events: LabEvent[]) => checkPreemption(historyInTime([...start, ...events]), params)

it('passes when the VIP comes back in time, after the stale one was cleared', () => {
  expect(judge([holds(10_100, 'd1', 'remove'), holds(13_300, 'd1'), holds(13_310, 'd2', 'remove')])).toMatchObject({
    outcome: 'PASS',
    reason: expect.stringContaining('d1 held the VIP 10.0.0.100 3.3 s after the heal of keepalived-crash on d1'),
  })
})

it('fails when the VIP comes late or never', () => {
  expect(judge([holds(10_100, 'd1', 'remove'), holds(15_000, 'd1')]).outcome).toBe('FAIL')
  expect(judge([holds(10_100, 'd1', 'remove'), mark(20_000)]).outcome).toBe('FAIL')
})

it('says nothing without a heal, or when the VIP never left', () => {
  expect(checkPreemption(historyInTime([holds(0, 'd1'), crash]), params).outcome).toBe('INCONCLUSIVE')
  expect(judge([mark(20_000)])).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason: expect.stringContaining('held the VIP'),
  })
})

it('judges what clients miss at the handover', () => {
  const events = historyInTime([
    ...start,
    holds(10_100, 'd1', 'remove'),
    holds(13_000, 'd1'),
    ...requests(9000, 15_000),
  ])
  const verdict = checkPreemption(events, { ...params, watch: { probe: 'p', stepMs: 100 }, gapBound: bound(0) })
  expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{}, { name: 'client gap', value: 100 }, {}] })
})

it('does not look beyond the next thing that is done, nor at clients without a bound for them', () => {
  const next = fault(12_000, 'keepalived-crash', 'd1')
  const away = holds(10_100, 'd1', 'remove')
  expect(judge([away, next, holds(13_000, 'd1')]).outcome).toBe('INCONCLUSIVE')
  expect(judge([away, fault(10_050, 'netem', 'c1'), holds(13_000, 'd1')]).outcome).toBe('PASS')
  const events = historyInTime([...start, away, holds(13_000, 'd1'), ...requests(9000, 15_000)])
  const watch = { probe: 'p', stepMs: 100 }
  expect(checkPreemption(events, { ...params, watch }).measurements).toHaveLength(1)
  expect(checkPreemption(events, { ...params, gapBound: bound(0) }).measurements).toHaveLength(1)
})
