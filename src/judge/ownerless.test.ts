import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { addressOf, bound, fault, historyInTime, holds, mark, VIP } from './examples.ts'
import { checkSingleOwner } from './owner.ts'

const judge = (events: LabEvent[], nodes = ['d1', 'd2']) =>
  checkSingleOwner(historyInTime(events), {
    vip: VIP,
    directors: nodes.map(node => ({ node, address: addressOf(node) })),
    bound: bound(1000),
    noneBound: bound(4000),
  })
const none = (verdict: ReturnType<typeof judge>) =>
  verdict.measurements.find(measurement => measurement.name === 'VIP without an owner')?.value
const partition = (t: number, phase: 'inject' | 'heal' = 'inject', from = ['d2']): LabEvent => ({
  ...fault(t, 'partition', 'd1', phase),
  params: { from },
})

describe('the VIP without an owner', () => {
  it('passes when there always was one, and when a failover kept its bound', () => {
    expect(judge([holds(0, 'd1'), mark(90_000)])).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining('The VIP 10.0.0.100 always had a live owner (at most 4 s allowed: 4000 ms).'),
    })
    const moved = judge([holds(0, 'd1'), holds(5000, 'd1', 'remove'), holds(9000, 'd2'), mark(90_000)])
    expect(moved).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining('had no live owner for 4 s (from 5.000 s on) at most (at'),
    })
    expect(none(moved)).toBe(4000)
    expect(moved.proof.map(event => event.t)).toEqual([5000, 9000])
  })

  it('has no lower end: somebody may be quicker than a failover is due', () => {
    const params = { vip: VIP, directors: ['d1', 'd2'].map(node => ({ node, address: addressOf(node) })) }
    const quick = [holds(0, 'd1'), holds(5000, 'd1', 'remove'), holds(5100, 'd2'), mark(90_000)]
    const verdict = checkSingleOwner(historyInTime(quick), {
      ...{ ...params, bound: bound(1000), noneBound: bound(4000, 3000) },
    })
    expect(verdict.outcome).toBe('PASS')
    expect(verdict.reason).toContain('(at most 4 s allowed: 4000 ms)')
    expect(verdict.measurements.at(-1)?.bound).not.toHaveProperty('minMs')
  })

  it('fails when it takes longer, or never ends', () => {
    const late = judge([holds(0, 'd1'), holds(5000, 'd1', 'remove'), holds(9001, 'd2'), mark(90_000)])
    expect(late).toMatchObject({ outcome: 'FAIL', reason: expect.stringMatching(/^The VIP .* which is too long \(/) })
    const never = judge([holds(0, 'd1'), holds(5000, 'd1', 'remove'), mark(15_000)])
    expect(never.outcome).toBe('FAIL')
    expect(none(never)).toBe(10_000)
  })

  it('leaves a fault the time that it took, as long as it is in force', () => {
    const slow = (phase: 'inject' | 'heal', t: number): LabEvent => fault(t, 'config-change', 'd2', phase, 3000)
    const move = [holds(0, 'd1'), holds(20_000, 'd1', 'remove'), holds(26_000, 'd2'), mark(90_000)]
    expect(judge([...move, slow('inject', 17_000)]).outcome).toBe('PASS')
    expect(judge([...move, slow('inject', 5_000), slow('heal', 10_000)]).outcome).toBe('FAIL')
  })

  it('is judged by what is furthest beyond its own bound, not by what is longest', () => {
    const slow = fault(17_000, 'config-change', 'd2', 'inject', 3000)
    const allowed = [holds(0, 'd1'), slow, holds(20_000, 'd1', 'remove'), holds(26_000, 'd1')]
    const late = [fault(35_000, 'link-down', 'd1'), holds(40_000, 'd1', 'remove'), holds(44_500, 'd1'), mark(90_000)]
    expect(judge([...allowed, ...late])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('no live owner for 4.5 s (from 40.000 s on), which is too long'),
    })
  })

  it('is not judged where the recording ends before anybody has to have it', () => {
    const open = judge([holds(0, 'd1'), holds(5000, 'd1', 'remove'), mark(5600)])
    expect(open).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason:
        'The recording ends when the VIP 10.0.0.100 had had no live owner for 0.6 s (at most 4 s allowed: 4000 ms).',
    })
    expect(open.proof.map(event => event.t)).toEqual([5000])
    // one that was too long has been
    const late = [holds(5000, 'd1', 'remove'), holds(10_000, 'd2'), holds(20_000, 'd2', 'remove'), mark(20_600)]
    expect(judge([holds(0, 'd1'), ...late]).outcome).toBe('FAIL')
  })

  it('counts from the first owner on, and the longest of several', () => {
    expect(none(judge([mark(0), holds(50_000, 'd1'), mark(90_000)]))).toBe(0)
    const two = [holds(5000, 'd1', 'remove'), holds(6000, 'd2'), holds(10_000, 'd2', 'remove'), holds(13_000, 'd1')]
    const verdict = judge([holds(0, 'd1'), ...two, mark(20_000)])
    expect(none(verdict)).toBe(3000)
    expect(verdict.reason).toContain('(from 10.000 s on)')
  })

  it('is without one while the owner is dead, whatever that still holds', () => {
    const crash = fault(5000, 'keepalived-crash', 'd1')
    const verdict = judge([holds(0, 'd1'), crash, holds(8600, 'd2'), mark(20_000)])
    expect(verdict.outcome).toBe('PASS')
    expect(none(verdict)).toBe(3600)
    expect(verdict.proof.map(event => event.kind)).toEqual(['address', 'fault', 'address'])
    expect(judge([holds(0, 'd1'), crash, holds(9600, 'd2'), mark(20_000)]).outcome).toBe('FAIL')
    expect(judge([holds(0, 'd1'), crash, mark(20_000)]).outcome).toBe('FAIL')
  })

  it('is not judged while nobody is fit to hold it', () => {
    const all = [fault(5000, 'keepalived-crash', 'd1'), fault(5500, 'keepalived-stop', 'd2')]
    const dead = judge([holds(0, 'd1'), ...all, mark(90_000)])
    expect(dead.outcome).toBe('PASS')
    expect(none(dead)).toBe(500)
    const heal = fault(50_000, 'keepalived-stop', 'd2', 'heal', 500)
    const back = judge([holds(0, 'd1'), ...all, heal, holds(54_000, 'd2'), mark(90_000)])
    expect(none(back)).toBe(3500)
    expect(judge([holds(0, 'd1'), ...all, heal, holds(55_000, 'd2'), mark(90_000)]).outcome).toBe('FAIL')
  })

  it.each(['keepalived-stop', 'keepalived-parent-killed', 'link-down', 'node-restart', 'node-pause'])(
    'is not expected of a director under %s',
    name => {
      const gone = [holds(0, 'd1'), fault(5000, name, 'd1'), holds(5100, 'd1', 'remove'), mark(90_000)]
      expect(judge(gone, ['d1']).outcome).toBe('PASS')
      expect(judge(gone).outcome).toBe('FAIL')
    },
  )

  it('is one verdict when nobody was seen to hold it', () => {
    const verdict = judge([mark(90_000)])
    expect(verdict).toMatchObject({ outcome: 'INCONCLUSIVE', measurements: [] })
    expect(verdict.reason.match(/No director/g)).toHaveLength(1)
  })
})

describe('in a partition', () => {
  it('each side needs an owner', () => {
    const both = [holds(0, 'd1'), partition(5000), holds(8600, 'd2'), mark(90_000)]
    expect(none(judge(both))).toBe(3600)
    expect(judge(both).outcome).toBe('PASS')
    const alone = judge([holds(0, 'd1'), partition(5000), mark(90_000)])
    expect(alone).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('had no live owner on the side of d2 for 85 s'),
    })
    expect(judge([holds(0, 'd1'), partition(5000), partition(8000, 'heal'), mark(90_000)]).outcome).toBe('PASS')
  })

  it('a side whose directors are dead needs none', () => {
    const dead = fault(4000, 'keepalived-stop', 'd2')
    expect(judge([holds(0, 'd1'), dead, partition(5000), mark(90_000)]).outcome).toBe('PASS')
  })

  it('those that are still in touch with the owner need none, nor those whose VRRP alone is blocked', () => {
    expect(judge([holds(0, 'd1'), partition(5000, 'inject', ['c1']), mark(90_000)]).outcome).toBe('PASS')
    expect(judge([holds(0, 'd1'), fault(5000, 'vrrp-block', 'd1'), mark(90_000)]).outcome).toBe('PASS')
  })

  it('what changes on the one side does not cut short what the other lacks', () => {
    const unrest = [holds(6000, 'd1', 'remove'), holds(6100, 'd1'), holds(7000, 'd1', 'remove'), holds(7100, 'd1')]
    const verdict = judge([holds(0, 'd1'), partition(5000), ...unrest, holds(9500, 'd2'), mark(90_000)])
    expect(verdict.outcome).toBe('FAIL')
    expect(none(verdict)).toBe(4500)
  })
})

it('looks at nothing before the first owner, and at each side by itself', () => {
  const before = [fault(1000, 'keepalived-stop', 'd2'), fault(2000, 'keepalived-stop', 'd2', 'heal')]
  expect(none(judge([...before, holds(50_000, 'd1'), mark(90_000)]))).toBe(0)
  const swapped = [holds(7500, 'd2'), holds(7500, 'd1', 'remove'), holds(10_000, 'd1')]
  const verdict = judge([holds(0, 'd1'), partition(5000), ...swapped, mark(90_000)])
  expect(verdict.outcome).toBe('PASS')
  expect(none(verdict)).toBe(2500)
})

it('shows the addresses of the VIP on directors alone, and no fault of later', () => {
  const other: LabEvent = { ...holds(5500, 'd2'), address: '10.0.0.101' } as LabEvent
  const around = [holds(0, 'd1'), holds(5000, 'd1', 'remove'), other, holds(8000, 'd2'), holds(8500, 'rs1')]
  const verdict = judge([...around, holds(7000, 'rs1'), fault(20_000, 'netem', 'c1'), mark(90_000)])
  expect(verdict.proof.map(event => event.t)).toEqual([5000, 8000])
  const later = judge([holds(0, 'd1'), holds(5000, 'd1', 'remove'), mark(90_000)])
  expect(later.proof.map(event => event.t)).toEqual([5000])
  expect(judge([holds(0, 'd1'), mark(90_000)]).proof).toEqual([])
})
