import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { judgeGap } from './client-gap.ts'
import { bound, failing, fault, historyInTime, mark, request, requests } from './examples.ts'

const cause = fault(10_000, 'keepalived-crash', 'd1')
/** At most 1200 ms: a second and two steps. */
const judge = (events: LabEvent[], until = 60_000) =>
  judgeGap(historyInTime([cause, ...events]), { probe: 'p', stepMs: 100 }, cause, bound(1000, 500), 0, until)
const before = requests(9000, 10_000)

describe('a silence', () => {
  it('may be as long as its bound, to the millisecond, and as short as it likes', () => {
    const gap = (ms: number) => judge([request(9998), request(9998 + ms), ...requests(12_000, 13_000)], 9998 + ms)
    expect(gap(1200)).toMatchObject({
      outcome: 'PASS',
      measurements: [
        { name: 'client gap', value: 1200, bound: { name: 'client gap', maxMs: 1200 } },
        { name: 'failed requests', value: 0, unit: 'requests' },
      ],
      proof: [{ t: 9998 }, { t: 10_000 }, { t: 11_198 }],
    })
    expect(gap(1201)).toMatchObject({ outcome: 'FAIL', reason: expect.stringContaining('which is too long') })
    expect(gap(1200).measurements[0]?.bound).not.toHaveProperty('minMs')
  })

  it('counts failed requests from the fault on', () => {
    const verdict = judge([...before, ...failing(9950, 9951), ...failing(10_000, 10_300), ...requests(10_300, 12_000)])
    expect(verdict.measurements[1]).toMatchObject({ value: 3 })
  })

  it('at the end counts up to the last request that was sent into it', () => {
    const dead = (ms: number) => judge([request(9998), request(10_050), request(10_050 + ms, { outcome: 'timeout' })])
    expect(dead(1201)).toMatchObject({
      outcome: 'FAIL',
      reason:
        'Nobody answered the probe p in the 1.2 s before its end, after keepalived-crash on d1 (at most 1.2 s allowed: 1000 ms, + 0.2 s for two probe steps).',
      measurements: [{ name: 'client gap', value: 1201 }],
      proof: [{ t: 10_000 }, { t: 10_050 }, { t: 11_251 }],
    })
    expect(dead(1200)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('ended before anybody'),
    })
  })

  it('at the end does not matter where a longer one was before, or an answer came after it', () => {
    const early = [request(9998), request(10_998)]
    expect(judge([...early, request(11_500, { outcome: 'timeout' })]).outcome).toBe('PASS')
    expect(judge([...early, request(11_998, { outcome: 'timeout' })]).outcome).toBe('PASS')
    expect(judge([...early, request(11_999, { outcome: 'timeout' })]).outcome).toBe('INCONCLUSIVE')
    const overtaken = [...early, request(11_000, { done: 12_000 }), request(11_050, { outcome: 'reset' })]
    expect(judge(overtaken).outcome).toBe('PASS')
  })

  it('ends with what is looked at', () => {
    expect(judge([...before, ...failing(10_000, 11_000)], 10_500).outcome).toBe('INCONCLUSIVE')
    const later = [...before, ...requests(10_000, 11_000), ...failing(11_000, 20_000)]
    expect(judge(later, 10_900).outcome).toBe('PASS')
    expect(judge(later).outcome).toBe('FAIL')
  })
})

describe('a probe that cannot tell', () => {
  it('sent nothing after the fault, or had no answer before it', () => {
    expect(judge([...before, mark(20_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'The probe p sent nothing after keepalived-crash on d1.',
      proof: [cause],
    })
    expect(judge([...before, request(10_000)]).outcome).toBe('PASS')
    const none = {
      outcome: 'INCONCLUSIVE',
      reason: 'The probe p had no answer before keepalived-crash on d1.',
      proof: [cause],
    }
    expect(judge(requests(10_100, 12_000))).toMatchObject(none)
    expect(judge(failing(9000, 12_000))).toMatchObject(none)
    expect(judge(requests(10_000, 12_000)).outcome).toBe('PASS')
  })

  it('was starved: what keeps the bound stands', () => {
    const late = (gap: number) =>
      judge([request(9998), request(9998 + gap), ...requests(9998 + gap + 50, 15_000, () => ({ scheduled: 0 }))])
    expect(late(1200).outcome).toBe('PASS')
    expect(late(1201)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('starved'),
      proof: [cause],
    })
    const dead = judge([
      request(9998),
      ...Array.from({ length: 20 }, (_, n) => request(11_000 + n * 100, { scheduled: 0, outcome: 'timeout' })),
    ])
    expect(dead).toMatchObject({ outcome: 'INCONCLUSIVE', reason: expect.stringContaining('starved') })
  })

  it('waited by itself: only what is left counts against the bound', () => {
    const waited = (ms: number) =>
      judge([request(9998), request(11_998, { scheduled: 11_998 - ms }), ...requests(12_100, 40_000)])
    expect(waited(800)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('0.8 s late: of the 2 s without an answer'),
      proof: [{ t: 9998 }, { t: 10_000 }, { t: 11_998 }],
    })
    expect(waited(799).outcome).toBe('FAIL')
  })
})
