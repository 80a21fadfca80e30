import { describe, expect, it } from 'vitest'
import type { AddressEvent, LabEvent, RequestEvent } from './event.ts'
import { historyOf } from './history.ts'
import {
  endOf,
  firstAfter,
  gapBetween,
  holdingsOf,
  lastAfter,
  lastBefore,
  lateShare,
  longestGap,
  markOf,
  ownersAt,
  requestsOf,
  sentRate,
  sharesOf,
} from './queries.ts'

const address = (t: number, node: string, change: 'add' | 'remove', device = 'eth0'): AddressEvent => ({
  kind: 'address',
  t,
  change,
  node,
  device,
  address: '10.0.0.100',
  prefix: 24,
})
const request = (
  t: number,
  done: number,
  outcome: RequestEvent['outcome'] = 'answered',
  probe = 'p',
): RequestEvent => ({
  kind: 'request',
  t,
  scheduled: t,
  done,
  probe,
  n: 0,
  client: 'c1',
  source: '10.0.0.50',
  target: 'http://10.0.0.100/',
  outcome,
})

describe('who held an address', () => {
  it('follows it from node to node, whatever the device, and leaves other nodes out', () => {
    const history = historyOf([
      address(0, 'd1', 'add'),
      address(1, 'rs1', 'add', 'lo'),
      address(2, 'd1', 'add', 'lo'),
      address(5, 'd1', 'remove'),
      address(8, 'd2', 'add'),
      address(9, 'd1', 'remove', 'lo'),
    ])
    const holdings = holdingsOf(history, '10.0.0.100', ['d1', 'd2'])
    expect(holdings).toEqual([
      { node: 'd1', from: 0, until: 9 },
      { node: 'd2', from: 8, until: undefined },
    ])
    expect([5, 8, 9].map(t => ownersAt(holdings, t))).toEqual([['d1'], ['d1', 'd2'], ['d2']])
  })
})

describe('what a client saw', () => {
  it('measures the longest silence from answer to answer, in the order in which they arrived', () => {
    const history = historyOf([
      request(0, 2),
      ...[request(20, 21, 'refused'), request(10, 90), request(30, 95), request(100, 102)],
    ])
    const requests = requestsOf(history, 'p')
    expect(longestGap(requests, 5)).toMatchObject({ length: 88, before: { done: 2 }, after: { done: 90 } })
    expect(longestGap(requests, 91)).toMatchObject({ length: 7 })
    expect(longestGap(requests, 200)).toBeUndefined()
    expect(gapBetween(history, 'p', 91, 94)).toMatchObject({ length: 5, after: { done: 95 } })
    expect(gapBetween(history, 'p', 91, 90)).toBeUndefined()
  })

  it('takes the requests of one probe in a window, in the order of sending', () => {
    const history = historyOf([request(30, 31), request(10, 40), request(10, 11, 'answered', 'q'), request(50, 51)])
    expect(requestsOf(history, 'p', { from: 10, until: 30 }).map(one => one.t)).toEqual([10, 30])
    expect(endOf(history)).toBe(51)
  })

  it('counts as late what the probe calls late, else what is 50 ms late', () => {
    const events: LabEvent[] = [
      { ...request(40, 41), scheduled: 0 },
      { ...request(100, 101), scheduled: 0 },
    ]
    expect(lateShare(historyOf(events), 'p')).toBe(0.5)
    const start: LabEvent = {
      kind: 'probe',
      phase: 'start',
      t: 0,
      probe: 'p',
      client: 'c1',
      target: 'x',
      rate: 1,
      lateAfterMs: 10,
    }
    expect(lateShare(historyOf(events, [start]), 'p')).toBe(1)
    expect(lateShare(historyOf(events), 'q')).toBe(0)
    const stop = { ...start, phase: 'stop' as const, type: 'tcp' as const, probe: 'held', sent: 200, late: 30 }
    expect(lateShare(historyOf(events, [stop]), 'held')).toBe(0.15)
  })

  it('counts answers by server and the rate that was really sent, in a window', () => {
    const by = (t: number, server?: string) => ({ ...request(t, t + 1), ...(server && { server }) })
    const history = historyOf([by(0, 'rs1'), by(10, 'rs2'), by(20, 'rs1'), request(30, 31, 'timeout'), by(40)])
    expect(sharesOf(history, 'p')).toEqual({ rs1: 2, rs2: 1, '?': 1 })
    expect(sharesOf(history, 'p', { from: 10, until: 20 })).toEqual({ rs1: 1, rs2: 1 })
    expect(sentRate(history, 'p')).toBe(100)
    expect(sentRate(history, 'p', { from: 0, until: 5 })).toBe(0)
  })
})

describe('what came before and after', () => {
  it('is found by time, whatever the order of reporting', () => {
    const mark = (t: number, label: string): LabEvent => ({ kind: 'mark', t, label })
    const history = historyOf([
      ...[mark(5, 'step'), mark(20, 'step')],
      ...[address(40, 'd2', 'add'), address(30, 'd1', 'remove'), address(10, 'd1', 'add'), address(15, 'd2', 'add')],
    ])
    const step = markOf(history, 'step')
    expect(step?.t).toBe(20)
    expect(markOf(history, 'never')).toBeUndefined()
    expect(firstAfter(history, step ?? 0, 'address')).toMatchObject({ t: 30, node: 'd1' })
    expect(firstAfter(history, 20, 'address', event => event.node === 'd2')).toMatchObject({ t: 40 })
    expect(firstAfter(history, 50, 'address')).toBeUndefined()
    expect(lastAfter(history, step ?? 0, 'address')).toMatchObject({ t: 40, node: 'd2' })
    expect(lastAfter(history, 30, 'address', event => event.node === 'd1')).toMatchObject({ t: 30 })
    expect(lastAfter(history, 50, 'address')).toBeUndefined()
    expect(lastBefore(history, step ?? 0, 'address')).toMatchObject({ t: 15, node: 'd2' })
    expect(lastBefore(history, 20, 'mark')).toMatchObject({ t: 5 })
  })
})
