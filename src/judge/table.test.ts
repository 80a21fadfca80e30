import { describe, expect, it } from 'vitest'
import type { IpvsService, LabEvent } from '../history/event.ts'
import { historyInTime } from './examples.ts'
import { checkTable, type ExpectedService } from './table.ts'

const expected = {
  service: 'TCP 10.0.0.100:80',
  scheduler: 'rr',
  persistent: false,
  destinations: [{ address: '10.0.0.11', port: 80, forwarding: 'Route', weight: 1 }],
} satisfies ExpectedService

const verdict = (...tables: IpvsService[][]) =>
  checkTable(
    historyInTime(tables.map((services, t): LabEvent => ({ kind: 'ipvs', t, node: 'd1', reason: 'step', services }))),
    { director: 'd1', services: [expected] },
  )

const tableWith = (change: Partial<IpvsService>, destination: object = {}): IpvsService[] => [
  {
    ...expected,
    destinations: expected.destinations.map(one => ({ ...one, active: 0, inactive: 0, ...destination })),
    ...change,
  },
]

describe('the table of a director', () => {
  it('passes with everything that the configuration has, and more', () => {
    const more = [...tableWith({ service: 'FWM 5', scheduler: 'wlc' }), ...tableWith({})]
    expect(verdict(more)).toMatchObject({
      outcome: 'PASS',
      reason: 'The IPVS table of d1 has all of its configuration: 1 service and 1 real server.',
      measurements: [],
      proof: [{ kind: 'ipvs', node: 'd1' }],
    })
  })

  it('has a server whose weight a check sets, whatever it is', () => {
    const destinations = expected.destinations.map(({ address, port, forwarding }) => ({ address, port, forwarding }))
    const services = [{ ...expected, destinations }]
    const of = (tables: IpvsService[]) =>
      checkTable(historyInTime([{ kind: 'ipvs', t: 0, node: 'd1', reason: 'step', services: tables }]), {
        director: 'd1',
        services,
      }).outcome
    expect(of(tableWith({}, { weight: 7 }))).toBe('PASS')
    expect(of(tableWith({ destinations: [] }))).toBe('FAIL')
  })

  it('may have to be that of another director', () => {
    const history = historyInTime([{ kind: 'ipvs', t: 0, node: 'd2', reason: 'step', services: [] }])
    expect(checkTable(history, { director: 'd2', of: 'd1', services: [expected] })).toMatchObject({
      outcome: 'FAIL',
      reason: "The IPVS table of d2 is not what d1's configuration says: TCP 10.0.0.100:80 is not there.",
    })
  })

  it('takes the kernel at its word for a server that is the director itself', () => {
    expect(verdict(tableWith({}, { forwarding: 'Local' })).outcome).toBe('PASS')
  })

  it.each([
    [[], 'TCP 10.0.0.100:80 is not there'],
    [tableWith({ scheduler: 'wlc' }), 'TCP 10.0.0.100:80 has scheduler wlc, not rr'],
    [tableWith({ persistent: true }), 'TCP 10.0.0.100:80 is persistent'],
    [tableWith({ destinations: [] }), 'TCP 10.0.0.100:80 has no 10.0.0.11:80'],
    [tableWith({}, { address: '10.0.0.12' }), 'TCP 10.0.0.100:80 has no 10.0.0.11:80'],
    [tableWith({}, { port: 8080 }), 'TCP 10.0.0.100:80 has no 10.0.0.11:80'],
    [tableWith({}, { forwarding: 'Masq' }), '10.0.0.11:80 of TCP 10.0.0.100:80 is Masq, not Route'],
    [tableWith({}, { weight: 0 }), '10.0.0.11:80 of TCP 10.0.0.100:80 has weight 0, not 1'],
  ])('fails with what differs: %#', (table, why) => {
    expect(verdict(table)).toMatchObject({
      outcome: 'FAIL',
      reason: `The IPVS table of d1 is not what its configuration says: ${why}.`,
    })
  })

  it('is judged as it was last', () => {
    expect(verdict([], tableWith({})).outcome).toBe('PASS')
    expect(verdict(tableWith({}), []).outcome).toBe('FAIL')
    expect(verdict().outcome).toBe('INCONCLUSIVE')
  })

  it('tells five differences', () => {
    const services = Array.from({ length: 7 }, (_, n) => ({ ...expected, service: `FWM ${n}` }))
    const history = historyInTime([{ kind: 'ipvs', t: 0, node: 'd1', reason: 'step', services: [] }])
    expect(checkTable(history, { director: 'd1', services }).reason).toContain('FWM 4 is not there; and 2 more.')
  })
})
