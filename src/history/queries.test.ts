import { describe, expect, it } from 'vitest'
import type { AddressEvent, LabEvent, RequestEvent } from './event.ts'
import { endOf, holdingsOf, lateShare, longestGap, ownersAt, requestsOf } from './queries.ts'

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
    const events: LabEvent[] = [
      address(0, 'd1', 'add'),
      address(1, 'rs1', 'add', 'lo'),
      address(2, 'd1', 'add', 'lo'),
      address(5, 'd1', 'remove'),
      address(8, 'd2', 'add'),
      address(9, 'd1', 'remove', 'lo'),
    ]
    const holdings = holdingsOf(events, '10.0.0.100', ['d1', 'd2'])
    expect(holdings).toEqual([
      { node: 'd1', from: 0, until: 9 },
      { node: 'd2', from: 8, until: undefined },
    ])
    expect([5, 8, 9].map(t => ownersAt(holdings, t))).toEqual([['d1'], ['d1', 'd2'], ['d2']])
  })
})

describe('what a client saw', () => {
  it('measures the longest silence from answer to answer, in the order in which they arrived', () => {
    const requests = [request(0, 2), request(10, 90), request(20, 21, 'refused'), request(30, 95), request(100, 102)]
    expect(longestGap(requests, 5)).toMatchObject({ length: 88, before: { done: 2 }, after: { done: 90 } })
    expect(longestGap(requests, 91)).toMatchObject({ length: 7 })
    expect(longestGap(requests, 200)).toBeUndefined()
  })

  it('takes the requests of one probe in a window, in the order of sending', () => {
    const events = [request(30, 31), request(10, 40), request(10, 11, 'answered', 'q'), request(50, 51)]
    expect(requestsOf(events, 'p', { from: 10, until: 30 }).map(one => one.t)).toEqual([10, 30])
    expect(endOf(events)).toBe(51)
  })

  it('counts as late what the probe calls late, else what is 50 ms late', () => {
    const events: LabEvent[] = [
      { ...request(40, 41), scheduled: 0 },
      { ...request(100, 101), scheduled: 0 },
    ]
    expect(lateShare(events, 'p')).toBe(0.5)
    const start = {
      kind: 'probe',
      phase: 'start',
      t: 0,
      probe: 'p',
      client: 'c1',
      target: 'x',
      rate: 1,
      lateAfterMs: 10,
    }
    expect(lateShare([...events, start as LabEvent], 'p')).toBe(1)
    expect(lateShare(events, 'q')).toBe(0)
    const stop = { ...start, phase: 'stop', type: 'tcp', probe: 'held', sent: 200, late: 30 }
    expect(lateShare([...events, stop as LabEvent], 'held')).toBe(0.15)
  })
})
