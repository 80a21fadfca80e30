import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { historyOf } from '../history/history.ts'
import { mark, request } from './examples.ts'
import { guard, inconclusive, inOrder, starved, mergeOutcomes, mergeVerdicts } from './guard.ts'
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

describe('requests that were sent and not recorded', () => {
  const stop = (sent?: number, more = {}) => ({
    kind: 'probe' as const,
    t: 900,
    phase: 'stop' as const,
    probe: 'p',
    client: 'c1',
    target: '',
    rate: 10,
    ...(sent === undefined ? {} : { sent }),
    ...more,
  })
  const passes = (...events: LabEvent[]) => guard(historyOf(events), () => verdict('PASS', 'Good.'))

  it('are a gap of the recording', () => {
    expect(passes(request(100), request(200), stop(2)).outcome).toBe('PASS')
    expect(passes(request(100), stop(2))).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'Good. The recording has gaps (of 2 requests of the probe p only 1 were recorded).',
    })
    expect(passes(request(100), request(200, { probe: 'q' }), stop(2)).outcome).toBe('INCONCLUSIVE')
    // of a name that was used again, those of all its probes
    expect(passes(request(100), stop(1), request(300), stop(1)).outcome).toBe('PASS')
    expect(passes(request(100), stop(2), request(300), request(400), stop(2)).outcome).toBe('INCONCLUSIVE')
    expect(passes(stop()).outcome).toBe('PASS')
    expect(passes(stop(5, { phase: 'start' })).outcome).toBe('PASS')
    expect(passes(stop(5, { type: 'tcp' })).outcome).toBe('PASS')
  })
})

describe('a starved probe', () => {
  const late = (count: number) =>
    Array.from({ length: 200 }, (_, n) => request(n * 100, { scheduled: n * 100 - (n < count ? 51 : 50) }))

  it('sent more than a hundredth of its requests late', () => {
    expect(starved(historyOf(late(2)), 'p')).toBeUndefined()
    expect(starved(historyOf(late(3)), 'p')).toBe(
      'The probe p was starved: 1.5% of its requests were sent late (at most 1% allowed).',
    )
    expect(starved(historyOf(late(3)), 'p', { from: 300, until: 90_000 })).toBeUndefined()
    expect(starved(historyOf(late(200)), 'q')).toBeUndefined()
  })

  it('speaks for itself where it holds connections', () => {
    const stop = (type: 'tcp' | 'http', counts: { sent?: number; late?: number }) => ({
      kind: 'probe' as const,
      t: 900,
      phase: 'stop' as const,
      probe: 'p',
      type,
      client: 'c1',
      target: '',
      rate: 10,
      ...counts,
    })
    const says = (...events: LabEvent[]) => starved(historyOf(events), 'p')
    expect(says(stop('tcp', { sent: 100, late: 2 }))).toContain('2%')
    expect(says(stop('tcp', { sent: 100, late: 1 }))).toBeUndefined()
    expect(says(stop('tcp', { sent: 100 }))).toBeUndefined()
    expect(says(stop('tcp', { late: 0 }))).toBeUndefined()
    expect(says(stop('http', { sent: 100, late: 50 }))).toBeUndefined()
    expect(says({ ...stop('tcp', { sent: 100, late: 50 }), phase: 'start' })).toBeUndefined()
    expect(says({ ...stop('tcp', { sent: 100, late: 50 }), probe: 'q' })).toBeUndefined()
    // a name that was used again
    expect(says(stop('tcp', { sent: 100, late: 50 }), stop('tcp', { sent: 100, late: 0 }))).toContain('25%')
  })
})

it('shows each event once, in order of time, a request also where it was made anew', () => {
  const [one, two] = [mark(2), mark(1)]
  expect(inOrder([one, undefined, two, one])).toEqual([two, one])
  expect(inOrder([mark(1), mark(1)])).toHaveLength(2)
  expect(inOrder([request(1), request(1), request(2), request(1, { probe: 'q' })])).toHaveLength(3)
  expect(inconclusive('Why.')).toEqual({ outcome: 'INCONCLUSIVE', reason: 'Why.', measurements: [], proof: [] })
})

it('looks at every probe before it blames the configuration, and at every gap', () => {
  const probe = (name: string): LabEvent => ({
    ...{ kind: 'probe', t: 0, phase: 'start', probe: name, client: 'c1', target: '', rate: 10 },
  })
  const hungry = [probe('p'), probe('q'), request(100), request(100, { probe: 'q', scheduled: 0 })]
  expect(guard(historyOf(hungry), () => verdict('FAIL', 'Bad.'))).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason: expect.stringContaining('The probe q was starved'),
  })
  const gaps = guard(historyOf([trouble, { ...trouble, t: 6 }, { ...trouble, what: 'b' }]), () =>
    verdict('PASS', 'Good.'),
  )
  expect(gaps.reason).toBe('Good. The recording has gaps (d1: the address watcher died; d1: b).')
  expect(gaps.proof.map(event => event.kind)).toEqual(['mark', 'trouble', 'trouble', 'trouble'])
  const known = verdict('INCONCLUSIVE', 'No fault.')
  expect(guard(historyOf([trouble]), () => known)).toEqual(known)
})
