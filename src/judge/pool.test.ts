import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import {
  bound,
  DIRECTORS,
  failing,
  fault,
  holds,
  historyInTime,
  mark,
  requests,
  SERVICE,
  staleOnD1,
  table,
  VIP,
} from './examples.ts'
import { checkPool, type PoolParams } from './pool.ts'

const params: PoolParams = {
  vip: VIP,
  directors: DIRECTORS,
  service: SERVICE,
  server: { node: 'rs1', address: '10.0.0.11', port: 80 },
  fault: 'web-stop',
  downBound: bound(4000),
}
const stop = fault(10_000, 'web-stop', 'rs1')
const heal = fault(20_000, 'web-stop', 'rs1', 'heal')
const judge = (events: LabEvent[], changes: Partial<PoolParams> = {}) =>
  checkPool(historyInTime([holds(0, 'd1'), table(0, 'd1', ['rs1', 'rs2']), ...events]), { ...params, ...changes })

describe('leaving the table', () => {
  it('passes when the server leaves in time, by removal or with weight 0', () => {
    const verdict = judge([stop, table(12_000, 'd1', ['rs2']), mark(20_000)])
    expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{ name: 'removal', value: 2000 }] })
    expect(verdict.reason).toContain('rs1 left the table of d1 2 s after web-stop on rs1')
    expect(judge([stop, table(12_000, 'd1', ['rs1'], 0), mark(20_000)]).outcome).toBe('PASS')
  })

  it('is told of by its own name, where its node is not what it is called', () => {
    const server = { node: 'rs1', name: '10.0.0.11', address: '10.0.0.11', port: 80 }
    const verdict = judge([stop, table(12_000, 'd1', ['rs2']), mark(20_000)], { server })
    expect(verdict.reason).toContain('10.0.0.11 left the table of d1 2 s after web-stop on rs1')
  })

  it('fails when it leaves late or never; the table of another director does not count', () => {
    expect(judge([stop, table(15_000, 'd1', ['rs2'])]).outcome).toBe('FAIL')
    expect(judge([stop, table(12_000, 'd2', ['rs2']), mark(20_000)])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('rs1 never left the table of d1'),
    })
  })

  it('says nothing without the fault, without the server in the table before, or from too short a recording', () => {
    expect(judge([mark(20_000)]).outcome).toBe('INCONCLUSIVE')
    expect(judge([table(5000, 'd1', ['rs2']), stop, mark(20_000)]).outcome).toBe('INCONCLUSIVE')
    expect(judge([stop, mark(12_000)]).outcome).toBe('INCONCLUSIVE')
    expect(checkPool(historyInTime([table(0, 'd1', ['rs1']), stop, mark(20_000)]), params).outcome).toBe('INCONCLUSIVE')
  })
})

it('looks at the table of who attends to the VIP, whatever a dead director still holds', () => {
  const moved = [...staleOnD1(), table(3000, 'd2', ['rs1', 'rs2'])]
  expect(judge([...moved, stop, table(12_000, 'd2', ['rs2']), mark(20_000)])).toMatchObject({
    outcome: 'PASS',
    reason: expect.stringContaining('rs1 left the table of d2'),
  })
})

describe('requests after the removal', () => {
  const removed = [stop, table(12_000, 'd1', ['rs2'])]
  const probe = { probe: 'p' }

  it('may fail before it, and shortly after it while they were on their way', () => {
    expect(judge([...removed, ...failing(10_000, 12_100), ...requests(12_100, 15_000)], probe).outcome).toBe('PASS')
  })

  it('must not fail later', () => {
    const verdict = judge([...removed, ...requests(12_100, 14_000), ...failing(14_000, 14_200)], probe)
    expect(verdict.outcome).toBe('FAIL')
    expect(verdict.reason).toBe(
      '2 of 21 requests failed although rs1 had left the table, the first was request 140 at 14.000 s (refused).',
    )
  })

  it('must not fail where the server has weight 0', () => {
    const kept = [stop, table(12_000, 'd1', ['rs1'], 0)]
    expect(judge([...kept, ...failing(14_000, 14_100)], probe).reason).toContain(
      'requests failed although rs1 had weight 0 in the table',
    )
  })

  it('says nothing when there were none, and leaves those of the next fault alone', () => {
    expect(judge([...removed, mark(15_000)], probe).outcome).toBe('INCONCLUSIVE')
    const next = fault(14_000, 'web-stop', 'rs2')
    expect(judge([...removed, ...requests(12_100, 14_000), next, ...failing(14_100, 15_000)], probe).outcome).toBe(
      'PASS',
    )
  })
})

describe('coming back', () => {
  const healed = [stop, table(12_000, 'd1', ['rs2']), heal]
  const back = { upBound: bound(2000) }

  it('passes in time and fails late', () => {
    expect(judge([...healed, table(21_000, 'd1', ['rs1', 'rs2'])], back)).toMatchObject({
      outcome: 'PASS',
      measurements: [{ name: 'removal' }, { name: 'return', value: 1000 }],
    })
    expect(judge([...healed, table(23_000, 'd1', ['rs1', 'rs2'])], back).outcome).toBe('FAIL')
    expect(judge([...healed, mark(30_000)], back).reason).toContain('rs1 never came back to the table')
  })

  it('says nothing from too short a recording', () => {
    expect(judge([...healed, mark(21_000)], back).outcome).toBe('INCONCLUSIVE')
  })
})

describe('inhibit_on_failure', () => {
  const weightless = table(12_000, 'd1', ['rs1'], 0)
  const gone = table(12_000, 'd1', ['rs2'])

  it('passes when the server stays with weight 0 where it is set, and is removed where it is not', () => {
    expect(judge([stop, weightless], { inhibit: true })).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining('rs1 stayed in the table of d1 with weight 0, as inhibit_on_failure asks.'),
    })
    expect(judge([stop, gone], { inhibit: false })).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining('rs1 was removed from the table of d1, as inhibit_on_failure is not set.'),
    })
  })

  it('fails the other way round', () => {
    expect(judge([stop, gone], { inhibit: true })).toMatchObject({
      outcome: 'FAIL',
      reason: 'rs1 was removed from the table of d1, although inhibit_on_failure is set.',
      proof: [{ kind: 'fault' }, { kind: 'ipvs', t: 12_000 }],
    })
    expect(judge([stop, weightless], { inhibit: false })).toMatchObject({
      outcome: 'FAIL',
      reason: 'rs1 stayed in the table of d1 with weight 0, although inhibit_on_failure is not set.',
    })
  })

  it('looks at the very server, and has nothing to say of one that never left', () => {
    const port = { ...params.server, port: 8080 }
    const other = (t: number, servers: string[]) => {
      const event = table(t, 'd1', servers)
      for (const one of event.services[0]?.destinations ?? []) one.port = 8080
      return event
    }
    const lookalike = [other(1, ['rs1']), stop, weightless]
    expect(judge(lookalike, { server: port, inhibit: false }).outcome).toBe('PASS')
    expect(judge([stop, mark(30_000)], { inhibit: true }).reason).not.toContain('inhibit')
  })
})

describe('what the checker says', () => {
  const says = (
    t: number,
    result: 'up' | 'down' | 'added' | 'removed',
    node = 'd1',
    server = '10.0.0.11:80',
    service?: string,
  ): LabEvent => ({
    kind: 'keepalived',
    t,
    node,
    line: `Check on ${server} ${result}`,
    checker: { server, result, ...(service === undefined ? {} : { service }) },
  })
  const names = (verdict: ReturnType<typeof judge>) => verdict.measurements.map(({ name, value }) => [name, value])

  it('is measured and shown beside the table, on the way out and back', () => {
    const lines = [says(11_900, 'down'), says(11_950, 'removed'), says(21_500, 'up'), says(21_600, 'added')]
    const tables = [table(12_000, 'd1', ['rs2']), table(22_000, 'd1', ['rs1', 'rs2'])]
    const verdict = judge([stop, heal, ...lines, ...tables], { upBound: bound(3000) })
    expect(names(verdict)).toEqual([
      ['removal', 2000],
      ['checker down', 1900],
      ['return', 2000],
      ['checker up', 1500],
    ])
    expect(verdict.proof.map(event => event.t)).toEqual([10_000, 11_900, 12_000, 20_000, 21_500, 22_000])
  })

  it('counts from the owner, of the server, and after the fault', () => {
    const lines = [says(9000, 'down'), says(11_000, 'down', 'd2'), says(11_100, 'down', 'd1', '10.0.0.12:80')]
    expect(names(judge([stop, ...lines, says(11_200, 'up'), table(12_000, 'd1', ['rs2'])]))).toEqual([
      ['removal', 2000],
    ])
    expect(names(judge([stop, says(10_000, 'removed'), table(12_000, 'd1', ['rs2'])]))).toEqual([
      ['removal', 2000],
      ['checker down', 0],
    ])
    const back = [table(12_000, 'd1', ['rs2']), heal, says(21_000, 'added'), table(22_000, 'd1', ['rs1'])]
    expect(names(judge([stop, ...back], { upBound: bound(3000) })).at(-1)).toEqual(['checker up', 1000])
    const unsaid: LabEvent = { kind: 'keepalived', t: 11_000, node: 'd1', line: 'Stopping' }
    expect(names(judge([stop, unsaid, table(12_000, 'd1', ['rs2'])]))).toEqual([['removal', 2000]])
  })

  it('is of this service, or of a check that may be of several', () => {
    const other = says(11_000, 'removed', 'd1', '10.0.0.11:80', 'TCP 10.0.0.200:80')
    const own = says(11_500, 'removed', 'd1', '10.0.0.11:80', SERVICE)
    expect(names(judge([stop, other, own, table(12_000, 'd1', ['rs2'])]))[1]).toEqual(['checker down', 1500])
  })

  describe('of a table that was being read when it changed', () => {
    const read = (t: number, since: number | undefined): LabEvent => ({
      ...table(t, 'd1', ['rs2']),
      ...(since === undefined ? {} : { since }),
    })
    const removedAt = (line: number, t: number, since?: number) => judge([stop, says(line, 'removed'), read(t, since)])

    it('tells when, from the moment at which the reading before was begun', () => {
      const verdict = removedAt(13_900, 14_500, 13_900)
      expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{ name: 'removal', value: 3900 }, {}] })
      expect(verdict.proof.map(event => event.t)).toEqual([10_000, 13_900, 14_500])
    })

    it('tells nothing where a reading begun after it still showed the server, or nobody knows', () => {
      expect(removedAt(13_900, 14_500, 13_901)).toMatchObject({ outcome: 'FAIL', measurements: [{ value: 4500 }, {}] })
      expect(removedAt(13_900, 14_500)).toMatchObject({ outcome: 'FAIL', measurements: [{ value: 4500 }, {}] })
    })

    it('is the last one before it was seen, and shown', () => {
      const lines = [says(11_000, 'down'), says(13_900, 'removed'), says(14_600, 'removed')]
      const verdict = judge([stop, ...lines, read(14_500, 13_000)])
      expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{ value: 3900 }, { value: 1000 }] })
      expect(verdict.proof.map(event => event.t)).toEqual([10_000, 11_000, 13_900, 14_500])
      expect(removedAt(14_100, 14_500, 13_000).outcome).toBe('FAIL')
      expect(removedAt(14_000, 14_000, 13_000).proof.map(event => event.kind)).toEqual(['fault', 'keepalived', 'ipvs'])
    })

    it('is one that says that the server moved, where there is one: a check may be of another service', () => {
      const own = says(14_600, 'removed', 'd1', '10.0.0.11:80', SERVICE)
      expect(judge([stop, says(13_900, 'down'), own, read(14_500, 13_000)]).outcome).toBe('FAIL')
    })

    it('says from when on no request may fail', () => {
      const removed = [stop, says(12_000, 'removed'), read(13_000, 11_000)]
      const served = (from: number) =>
        judge([...removed, ...failing(10_000, from), ...requests(from, 15_000)], { probe: 'p' }).outcome
      expect([served(12_100), served(12_300)]).toEqual(['PASS', 'FAIL'])
    })
  })
})

describe('to the letter', () => {
  it('keeps its bounds to the millisecond', () => {
    const down = (t: number) => judge([stop, table(t, 'd1', ['rs2'])]).outcome
    expect([14_000, 14_001].map(down)).toEqual(['PASS', 'FAIL'])
    expect([13_999, 14_000].map(t => judge([stop, mark(t)]).outcome)).toEqual(['INCONCLUSIVE', 'FAIL'])
    expect(judge([stop, mark(12_000)])).toMatchObject({
      reason: expect.stringContaining('rs1 need not have left the table by then'),
      proof: [stop],
    })
    const back = (t: number) => judge([stop, table(12_000, 'd1', ['rs2']), heal, mark(t)], { upBound: bound(2000) })
    expect(back(21_000).reason).toContain('rs1 need not have come back to the table by then')
  })

  it('looks at the server by address and port, in its own service', () => {
    const port = { server: { ...params.server, port: 8080 } }
    expect(judge([stop, table(12_000, 'd1', ['rs2']), mark(20_000)], port)).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('rs1 was not seen in the table of d1'),
    })
    const without = { ...table(12_000, 'd1', []), services: [] }
    expect(judge([stop, without, mark(20_000)])).toMatchObject({ outcome: 'FAIL' })
    expect(judge([{ ...without, t: 5000 }, stop, mark(20_000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      proof: [{ t: 5000 }, { t: 10_000 }],
    })
    const udp = table(12_000, 'd1', ['rs1', 'rs2'], 0)
    const both = {
      ...udp,
      services: [{ ...udp.services[0]!, service: 'UDP 10.0.0.100:53' }, ...table(0, 'd1', ['rs2']).services],
    }
    expect(judge([stop, both, mark(20_000)], { inhibit: false }).outcome).toBe('PASS')
  })

  it('takes the table after the fault and before the heal', () => {
    const flap = [table(5000, 'd1', ['rs2']), table(6000, 'd1', ['rs1', 'rs2'])]
    expect(judge([...flap, stop, table(11_000, 'd1', ['rs1', 'rs2']), mark(20_000)]).outcome).toBe('FAIL')
    expect(
      judge([...flap, stop, table(11_000, 'd1', ['rs1']), table(12_000, 'd1', ['rs2']), mark(20_000)]),
    ).toMatchObject({
      measurements: [{ value: 2000 }],
    })
    const soon = fault(13_000, 'web-stop', 'rs1', 'heal')
    expect(judge([stop, soon, table(13_500, 'd1', ['rs2']), mark(20_000)]).outcome).toBe('INCONCLUSIVE')
    expect(judge([stop, soon, table(13_000, 'd1', ['rs2']), mark(20_000)]).outcome).toBe('PASS')
    expect(judge([table(10_000, 'd1', ['rs2']), stop, mark(20_000)]).outcome).toBe('INCONCLUSIVE')
  })

  it('judges the return only after a heal of this fault', () => {
    const old = [fault(1000, 'web-stop', 'rs1'), fault(2000, 'web-stop', 'rs1', 'heal')]
    const out = [stop, table(12_000, 'd1', ['rs2']), mark(30_000)]
    const verdict = judge([...old, ...out], { upBound: bound(2000) })
    expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{ name: 'removal' }] })
    expect(verdict.measurements).toHaveLength(1)
    expect(judge([...out.slice(0, 2), heal, mark(90_000)]).measurements).toHaveLength(1)
  })

  it('says why it cannot tell, and shows what it tells from', () => {
    expect(checkPool(historyInTime([table(0, 'd1', ['rs1']), stop, mark(20_000)]), params)).toMatchObject({
      reason: expect.stringContaining('No live director held the VIP'),
      proof: [stop],
    })
    const removed = [stop, table(12_000, 'd1', ['rs2']), ...requests(12_100, 15_000, () => ({ server: 'rs2' }))]
    const served = judge([...requests(9_000, 9_100), ...removed], { probe: 'p' })
    expect(served.reason).toContain('All 29 requests after that were answered.')
    expect(served.measurements[1]).toEqual({ name: 'failed after the removal', value: 0, unit: 'requests' })
    expect(served.proof.map(event => event.t)).toEqual([10_000, 12_000, 12_100, 14_900])
    const strangers = judge([...requests(9_000, 9_100, () => ({ server: 'rs2' })), ...removed], { probe: 'p' })
    expect(strangers.reason).toContain('rs1 had served no client before, so none shows whether')
    expect(strangers.measurements.map(({ name }) => name)).toEqual(['removal', 'requests that it had served before'])
    const failed = judge([stop, table(12_000, 'd1', ['rs2']), ...failing(12_100, 12_300)], { probe: 'p' })
    expect(failed.measurements[1]).toEqual({ name: 'failed after the removal', value: 2, unit: 'requests' })
    expect(failed.proof.map(event => event.t)).toEqual([10_000, 12_000, 12_100])
    expect(judge([stop, table(12_000, 'd1', ['rs2']), mark(15_000)], { probe: 'p' }).proof).toHaveLength(2)
    expect(
      judge([stop, table(12_000, 'd1', ['rs2']), ...failing(12_050, 12_060)], { probe: 'p', inFlightMs: 50 }).outcome,
    ).toBe('FAIL')
  })
})

it('looks at the drained server among others with inhibit_on_failure', () => {
  expect(judge([stop, table(12_000, 'd1', ['rs2', 'rs1'], 0)], { inhibit: true }).outcome).toBe('PASS')
  expect(judge([stop, table(12_000, 'd1', ['rs2', 'rs1'], 0)], { inhibit: false }).outcome).toBe('FAIL')
})
