import { expect, it } from 'vitest'
import { historyOf } from '../history/history.ts'
import { mark, request } from './examples.ts'
import { guard, mergeOutcomes, mergeVerdicts } from './guard.ts'
import type { Verdict } from './verdict.ts'

const verdict = (outcome: Verdict['outcome'], reason: string): Verdict => ({
  outcome,
  reason,
  measurements: [],
  proof: [mark(1)],
})
const trouble = { kind: 'trouble' as const, t: 5, node: 'd1', what: 'the address watcher died' }

it('puts FAIL before INCONCLUSIVE before PASS, and nothing at all is no pass', () => {
  expect(mergeOutcomes(['PASS', 'INCONCLUSIVE', 'FAIL'])).toBe('FAIL')
  expect(mergeOutcomes(['PASS', 'INCONCLUSIVE'])).toBe('INCONCLUSIVE')
  expect(mergeOutcomes(['PASS'])).toBe('PASS')
  expect(mergeOutcomes([])).toBe('INCONCLUSIVE')
  expect(mergeVerdicts([])).toMatchObject({ outcome: 'INCONCLUSIVE', reason: 'Nothing was judged.' })
})

it('gives the reasons for the worst outcome', () => {
  const merged = mergeVerdicts([verdict('PASS', 'Good.'), verdict('FAIL', 'Bad.'), verdict('FAIL', 'Worse.')])
  expect(merged).toMatchObject({ outcome: 'FAIL', reason: 'Bad. Worse.' })
})

it('makes a check that throws INCONCLUSIVE', () => {
  const broken = guard(historyOf(), () => {
    throw new Error('no such node d9')
  })
  expect(broken).toMatchObject({ outcome: 'INCONCLUSIVE', reason: 'The check itself failed: no such node d9' })
})

it('does not let a recording with gaps pass, and keeps a failure', () => {
  expect(guard(historyOf([mark(1)]), () => verdict('PASS', 'Good.')).outcome).toBe('PASS')
  expect(guard(historyOf([trouble]), () => verdict('PASS', 'Good.'))).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason: 'Good. The recording has gaps (d1: the address watcher died).',
  })
  expect(guard(historyOf([trouble]), () => verdict('FAIL', 'Bad.')).outcome).toBe('FAIL')
})

it('does not blame the configuration in a lab whose probe was starved, and lets what passed stand', () => {
  const probe = { kind: 'probe' as const, t: 0, phase: 'stop' as const, probe: 'p', client: 'c1', target: '', rate: 50 }
  const late = historyOf([probe, { ...request(100), probe: 'p', scheduled: 0 }])
  const onTime = historyOf([probe, { ...request(100), probe: 'p', scheduled: 100 }])
  expect(guard(late, () => verdict('FAIL', 'Too late.'))).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason: expect.stringMatching(/100% of its requests were sent late .* Too late\.$/),
  })
  expect(guard(late, () => verdict('PASS', 'In time.')).outcome).toBe('PASS')
  expect(guard(onTime, () => verdict('FAIL', 'Too late.')).outcome).toBe('FAIL')
})
