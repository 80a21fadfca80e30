import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { advert, bound, DIRECTORS, garps, historyInTime, holds, mark, VIP } from './examples.ts'
import { checkGarp, type GarpParams } from './garp.ts'

const judge = (events: LabEvent[], changes: Partial<GarpParams> = {}) =>
  checkGarp(historyInTime(events), { vip: VIP, directors: DIRECTORS, ...changes })
const moved = [holds(0, 'd1'), holds(5000, 'd1', 'remove'), holds(5001, 'd2')]

describe('after the VIP came', () => {
  it('passes with enough of them in time', () => {
    const verdict = judge([...moved, ...garps(5100, 'd2', 6), mark(20_000)])
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      reason: '1 arrivals of the VIP 10.0.0.100, each with 6 gratuitous ARP or more (at most 1 s allowed: 1 s).',
      measurements: [
        { value: 6, unit: '' },
        { name: 'last of them', value: 139 },
      ],
    })
    expect(verdict.proof.map(event => event.t)).toEqual([5001, 5100, 5110, 5120, 5130, 5140])
  })

  it('is called neighbour advertisements for an IPv6 address', () => {
    const vip = 'fd00::100'
    const events = [...moved, ...garps(5100, 'd2')].map(event => ({ ...event, address: vip }))
    expect(judge([...events, mark(20_000)], { vip })).toMatchObject({
      ...{
        outcome: 'PASS',
        reason: expect.stringContaining('each with 5 unsolicited neighbour advertisements or more'),
      },
    })
  })

  it('fails with too few, or too late, or from somebody else', () => {
    const few = judge([...moved, ...garps(5100, 'd2', 4), ...garps(5200, 'd1', 2), mark(20_000)])
    expect(few.outcome).toBe('FAIL')
    expect(few.reason).toBe(
      'd2 sent 4 gratuitous ARP after the VIP came to it at 5.001 s, at least 5 are due for the VIP 10.0.0.100 ' +
        '(at most 1 s allowed: 1 s).',
    )
    expect(few.measurements).toMatchObject([{ value: 4 }, { value: 0 }])
    expect(few.proof.map(event => event.t)).toEqual([5001, 5100, 5110, 5120, 5130, 5200])
    expect(judge([...moved, ...garps(5961, 'd2'), mark(20_000)]).outcome).toBe('PASS')
    expect(judge([...moved, ...garps(5962, 'd2'), mark(20_000)]).outcome).toBe('FAIL')
    // the address is stamped by who reads of it, after the kernel has stamped the packets
    expect(judge([...moved, ...garps(4900, 'd2'), mark(20_000)]).outcome).toBe('FAIL')
    expect(judge([...moved, ...garps(4901, 'd2'), mark(20_000)]).outcome).toBe('PASS')
    const other = garps(5100, 'd2').map(garp => ({ ...garp, address: '10.0.0.101' }))
    expect(judge([...moved, ...other, advert(5000, 'd2'), mark(20_000)]).outcome).toBe('FAIL')
    expect(judge([...moved, advert(5000, 'd2'), mark(20_000)])).toMatchObject({
      outcome: 'FAIL',
      measurements: [{ value: 0 }, { value: 0 }],
    })
  })

  it('takes the count, the bound and the slack asked for', () => {
    const two = [...moved, ...garps(5100, 'd2', 2), mark(20_000)]
    expect(judge(two, { count: 2 }).outcome).toBe('PASS')
    expect(judge(two, { count: 3 }).outcome).toBe('FAIL')
    const slow = [...moved, ...garps(6500, 'd2'), mark(20_000)]
    expect(judge(slow, { bound: bound(2000) }).outcome).toBe('PASS')
    const early = [...moved, ...garps(4891, 'd2'), mark(20_000)]
    expect(judge(early, { slackMs: 10 }).outcome).toBe('PASS')
    expect(judge(early, { slackMs: 9 }).outcome).toBe('FAIL')
    const late = [...moved, ...garps(5971, 'd2'), mark(20_000)]
    expect(judge(late, { slackMs: 10 }).outcome).toBe('PASS')
    expect(judge(late, { slackMs: 9 }).outcome).toBe('FAIL')
  })

  it('judges every arrival but the first, which may be older than the recording, or those of its window', () => {
    const back = [holds(9000, 'd2', 'remove'), holds(9001, 'd1')]
    const one = [...moved, ...garps(5100, 'd2'), ...back, mark(20_000)]
    expect(judge(one)).toMatchObject({ outcome: 'FAIL', reason: expect.stringMatching(/^d1 sent 0 .* at 9.001 s/) })
    expect(judge([...one, ...garps(9100, 'd1', 7)])).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringMatching(/^2 arrivals .* with 5 /),
      measurements: [{ value: 5 }, { value: 139 }],
    })
    expect(judge(one, { window: { from: 5001, until: 9000 } }).outcome).toBe('PASS')
    expect(judge(one, { window: { from: 5002, until: 9000 } }).outcome).toBe('INCONCLUSIVE')
    expect(judge(one, { window: { from: 5001, until: 9001 } }).outcome).toBe('FAIL')
    expect(judge(one, { window: { from: 0, until: 4000 } }).outcome).toBe('FAIL')
  })

  it('does not ask a director that lost the VIP before it had to', () => {
    const lost = (t: number) => [...moved, advert(5000, 'd2'), holds(t, 'd2', 'remove'), mark(20_000)]
    expect(judge(lost(6000))).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('No director kept the VIP 10.0.0.100 long enough'),
    })
    expect(judge(lost(6001)).outcome).toBe('FAIL')
  })
})

describe('after garp_master_delay', () => {
  const again = { againAfterMs: 5000 }
  const first = [...moved, ...garps(5100, 'd2')]

  it('passes with as many again', () => {
    expect(judge([...first, ...garps(10_100, 'd2'), mark(20_000)], again)).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining('5 gratuitous ARP or more, and as many 5 s later (at most'),
      measurements: [{ value: 5 }, { value: 139 }],
    })
  })

  it('counts each of them once where the delay is no longer than the bound', () => {
    const soon = { againAfterMs: 1000 }
    expect(judge([...moved, ...garps(5950, 'd2'), mark(20_000)], soon)).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('d2 sent 0 gratuitous ARP after the VIP came to it'),
    })
    expect(judge([...moved, ...garps(5100, 'd2'), ...garps(6000, 'd2'), mark(20_000)], soon).outcome).toBe('PASS')
  })

  it('fails without, or at another time', () => {
    expect(judge([...first, mark(20_000)], again)).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('d2 sent 0 gratuitous ARP 5 s after the VIP came to it at 5.001 s'),
    })
    expect(judge([...first, ...garps(9900, 'd2'), mark(20_000)], again).outcome).toBe('FAIL')
    expect(judge([...first, ...garps(9901, 'd2'), mark(20_000)], again).outcome).toBe('PASS')
    expect(judge([...moved, ...garps(10_100, 'd2'), mark(20_000)], again).outcome).toBe('FAIL')
  })

  it('is not asked of a director that lost the VIP by then', () => {
    expect(judge([...first, holds(9000, 'd2', 'remove'), mark(20_000)], again).outcome).toBe('PASS')
  })
})

describe('says nothing', () => {
  it('when the VIP did not come to anybody', () => {
    expect(judge([holds(0, 'd1'), ...garps(10, 'd1'), mark(20_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'The VIP 10.0.0.100 was not seen to come to a director.',
    })
  })

  it('when nothing was captured', () => {
    expect(judge([...moved, mark(20_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('Nothing was captured'),
    })
  })

  it('when the recording ends too soon', () => {
    expect(judge([...moved, ...garps(5100, 'd2', 4), mark(6000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('The recording ends before d2 had to send'),
      proof: [{ t: 5001 }],
    })
    expect(judge([...moved, ...garps(5100, 'd2', 4), mark(6001)]).outcome).toBe('FAIL')
    expect(judge([...moved, ...garps(5100, 'd2', 5), mark(6000)]).outcome).toBe('PASS')
  })
})

it('measures the fewest and the slowest of several arrivals', () => {
  const back = [holds(9000, 'd2', 'remove'), holds(9001, 'd1')]
  const verdict = judge([...moved, ...garps(5201, 'd2', 7), ...back, ...garps(9101, 'd1', 6), mark(20_000)])
  expect(verdict.measurements).toMatchObject([
    { name: 'gratuitous ARP after an arrival', value: 6 },
    { name: 'last of them', value: 240 },
  ])
  expect(verdict.proof[0]).toMatchObject({ kind: 'address', t: 9001, node: 'd1' })
})

it('shows the arrival itself, and who else claimed the VIP then', () => {
  const other = { ...holds(5001, 'd2'), address: '10.0.0.101' } as LabEvent
  const around = [other, holds(5001, 'rs1'), ...garps(5000, 'd1', 1), ...garps(7000, 'd1', 1), ...garps(5300, 'd2', 2)]
  const verdict = judge([...around, ...moved, mark(20_000)])
  expect(verdict.outcome).toBe('FAIL')
  expect(verdict.proof.map(event => event.t)).toEqual([5001, 5300, 5310])
  expect(verdict.proof[0]).toMatchObject({ kind: 'address', address: VIP, node: 'd2' })
  const slack = judge([...moved, advert(1, 'd1'), mark(6010)], { slackMs: 10 })
  expect(slack.outcome).toBe('INCONCLUSIVE')
  expect(judge([...moved, advert(1, 'd1'), mark(6011)], { slackMs: 10 }).outcome).toBe('FAIL')
})
