import { expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { historyInTime, request, requests } from './examples.ts'
import { checkShares } from './shares.ts'

const expected = { scheduler: 'wrr', cycle: 3, shares: { rs1: 2, rs2: 1 }, source: 'test' }
const judge = (events: LabEvent[]) =>
  checkShares(historyInTime(events), { probe: 'p', window: { from: 0, until: 10_000 }, expected })
const answeredBy = (servers: string[]) =>
  requests(0, servers.length * 100, n => {
    const server = servers[n]
    return server === undefined ? {} : { server }
  })
/** Each answer comes after the next request has left. */
const slowly = <E extends LabEvent>(events: E[]): E[] => events.map(event => ({ ...event, done: event.t + 150 }))

it('passes when every full cycle has its share, whatever the order', () => {
  const verdict = judge(answeredBy(['rs1', 'rs1', 'rs2', 'rs2', 'rs1', 'rs1', 'rs1']))
  expect(verdict).toMatchObject({
    outcome: 'PASS',
    reason: 'wrr over 2 full cycles of 3 requests: rs1 4 (4 promised), rs2 2 (2 promised).',
    measurements: [
      { name: 'answered by rs1', value: 4 },
      { name: 'answered by rs2', value: 2 },
    ],
  })
})

it('is exact where all requests are counted, and where each is answered before the next', () => {
  const fails = { outcome: 'FAIL', reason: expect.stringContaining('rs2 1 (2 promised), which is off.') }
  expect(judge(answeredBy(['rs1', 'rs1', 'rs1', 'rs1', 'rs1', 'rs2']))).toMatchObject(fails)
  expect(judge(slowly(answeredBy(['rs1', 'rs1', 'rs1', 'rs1', 'rs1', 'rs2'])))).toMatchObject(fails)
  expect(judge(answeredBy(['rs1', 'rs1', 'rs1', 'rs1', 'rs1', 'rs2', 'rs2']))).toMatchObject(fails)
})

it('allows one request more or less where one that is not counted may have come before, and no more', () => {
  expect(judge(slowly(answeredBy(['rs1', 'rs1', 'rs1', 'rs1', 'rs1', 'rs2', 'rs2']))).outcome).toBe('PASS')
  expect(judge(slowly(answeredBy(['rs1', 'rs1', 'rs1', 'rs1', 'rs1', 'rs1', 'rs2'])))).toMatchObject({
    outcome: 'FAIL',
    reason: expect.stringContaining('rs2 0 (2 promised), which is off by more than 1'),
  })
  // one from before the window
  const before = { ...request(-100), done: 150, outcome: 'timeout' as const }
  const off = answeredBy(['rs1', 'rs1', 'rs1', 'rs1', 'rs1', 'rs2'])
  expect(judge([before, ...off]).outcome).toBe('PASS')
  // one that was over before the first of those that are counted left
  const later = off.map(one => ({ ...one, t: one.t + 1000, scheduled: one.t + 1000, done: one.done + 1000 }))
  expect(judge([{ ...before, done: 900 }, ...later]).outcome).toBe('FAIL')
})

it('tells a request of the probe before from one of its own of the same number', () => {
  const before = requests(-300, 0, n => ({ n, server: 'rs1', done: 150 }))
  const own = answeredBy(['rs1', 'rs1', 'rs1', 'rs2', 'rs1', 'rs1']).map((one, n) => ({ ...one, n }))
  expect(judge([...before, ...own]).outcome).toBe('PASS')
  expect(judge(own).outcome).toBe('FAIL')
})

it('fails on a failed request and on an answer from somebody else, and names it', () => {
  const failed = requests(0, 600, n => (n === 4 ? { outcome: 'timeout' } : {}))
  expect(judge(failed).reason).toBe('1 of 6 requests failed, the first was request 4 at 0.400 s (timeout).')
  expect(judge(failed).outcome).toBe('FAIL')
  expect(judge(answeredBy(['rs1', 'rs2', 'd1']))).toMatchObject({
    outcome: 'FAIL',
    reason: expect.stringContaining('answered by d1'),
  })
})

it('says nothing from less than a cycle, and nothing bad from a starved probe', () => {
  expect(judge(answeredBy(['rs1', 'rs2'])).outcome).toBe('INCONCLUSIVE')
  expect(judge([]).outcome).toBe('INCONCLUSIVE')
  const late = answeredBy(['rs1', 'rs1', 'rs2']).map(one => ({ ...one, scheduled: one.t - 100 }))
  expect(judge(late)).toMatchObject({ outcome: 'PASS', reason: expect.stringContaining('was starved') })
  expect(judge(late.map(one => ({ ...one, server: 'rs1' })))).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason: expect.stringMatching(/starved.*rs1 3 \(2 promised\)/),
  })
})

it('shows what it counts', () => {
  const passed = judge(answeredBy(['rs2', 'rs1', 'rs1', 'rs2', 'rs1', 'rs1', 'rs1']))
  expect(passed.measurements.map(({ name, unit }) => [name, unit])).toEqual([
    ['answered by rs1', 'requests'],
    ['answered by rs2', 'requests'],
  ])
  expect(passed.proof.map(event => event.t)).toEqual([0, 500])
  expect(judge(answeredBy(['rs1', 'rs2', 'd1'])).proof).toMatchObject([{ t: 200 }])
  expect(judge(answeredBy(['rs1', 'rs2'])).proof).toHaveLength(2)
  expect(judge(requests(0, 600, n => (n === 4 ? { outcome: 'timeout' } : {}))).proof).toMatchObject([{ t: 400 }])
})

it('has no cycle to count where all weights are 0', () => {
  const none = { scheduler: 'wrr', cycle: 0, shares: { rs1: 0 }, source: 'test' }
  const verdict = checkShares(historyInTime(answeredBy(['rs1'])), { probe: 'p', window: {}, expected: none })
  expect(verdict.outcome).toBe('INCONCLUSIVE')
})
