import { describe, expect, it } from 'vitest'
import type { IpvsEvent, LabEvent, RequestEvent } from '../history/event.ts'
import type { SchedulerName } from '../model/schedulers/registry.ts'
import { historyInTime, request, SERVICE, table, VIP } from './examples.ts'
import { checkPlacement } from './placement.ts'

const names = { '10.0.0.11:80': 'rs1', '10.0.0.12:80': 'rs2' }
const judge = (events: LabEvent[], scheduler: SchedulerName, more: object = {}) =>
  checkPlacement(historyInTime(events), {
    ...{ probe: 'p', director: 'd1', service: SERVICE, destination: VIP, scheduler, names },
    ...more,
  })

/** As the kernel lists it: rs1 was added first. */
const pool = (change: (destination: IpvsEvent['services'][number]['destinations'][number]) => object = () => ({})) => {
  const event = table(0, 'd1', ['rs2', 'rs1'])
  for (const service of event.services)
    service.destinations = service.destinations.map(one => ({ ...one, ...change(one) }))
  return event
}
const weighted = pool(({ address }) => ({ weight: address === '10.0.0.11' ? 3 : 1 }))
const answers = (servers: string[], change: (n: number) => Partial<RequestEvent> = () => ({})): RequestEvent[] =>
  servers.map((server, n) => request(100 + n * 100, { server, ...change(n) }))

describe('least connections', () => {
  it('passes where each connection goes to who had the fewest', () => {
    expect(
      judge([weighted, ...answers(['rs2', 'rs1', 'rs1', 'rs1', 'rs2', 'rs1', 'rs1', 'rs1'])], 'wlc'),
    ).toMatchObject({
      outcome: 'PASS',
      reason: '8 of 8 connections went where wlc sends them.',
      measurements: [
        { name: 'answered by rs1', value: 6 },
        { name: 'answered by rs2', value: 2 },
        { name: 'went elsewhere', value: 0 },
      ],
    })
  })

  it('fails where one goes to another, and names it', () => {
    const sent = answers(['rs2', 'rs1', 'rs1', 'rs2'])
    expect(judge([pool(), ...sent], 'lc')).toMatchObject({
      outcome: 'FAIL',
      proof: [pool(), sent[2]],
      reason:
        '2 of 4 connections went where lc sends them: request 3 at 0.300 s (answered by rs1), not by rs2 (Linux net/netfilter/ipvs/ip_vs_lc.c).',
    })
  })

  it('counts what the table had before, and does not fail by it', () => {
    const busy = pool(({ address }) => ({ active: 0, inactive: address === '10.0.0.12' ? 2 : 0 }))
    expect(judge([busy, ...answers(['rs1', 'rs1', 'rs2', 'rs1'])], 'lc').outcome).toBe('PASS')
    expect(judge([busy, ...answers(['rs2', 'rs1', 'rs2', 'rs1'])], 'lc')).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining(
        '; the director knew other connections, and when their entries expired was not seen.',
      ),
    })
  })

  it('counts an open connection more than closed ones, and does not fail by the order in which several end', () => {
    const slow = answers(['rs2', 'rs1', 'rs1'], n => (n === 0 ? { done: 250 } : {}))
    expect(judge([pool(), ...slow], 'lc').outcome).toBe('INCONCLUSIVE')
    const open = answers(['rs2', 'rs1', 'rs1'], n => (n === 0 ? { done: 350 } : {}))
    expect(judge([pool(), ...open], 'lc').outcome).toBe('PASS')
    // those of sed that are closed do not count
    expect(judge([weighted, ...answers(['rs1', 'rs1', 'rs1', 'rs1'])], 'sed').outcome).toBe('PASS')
  })

  it('has no open connections by UDP', () => {
    const slow = answers(['rs1', 'rs1', 'rs1', 'rs1'], () => ({ done: 900 }))
    const service = 'UDP 10.0.0.100:80'
    const udp = { ...weighted, services: weighted.services.map(one => ({ ...one, service })) }
    expect(judge([udp, ...slow], 'sed', { service }).outcome).toBe('PASS')
    expect(judge([weighted, ...slow], 'sed').outcome).toBe('INCONCLUSIVE')
  })
})

it('counts nothing of what is scheduled for itself', () => {
  const service = 'UDP 10.0.0.100:80'
  const udp = { ...pool(), services: pool().services.map(one => ({ ...one, service })) }
  const all = answers(['rs2', 'rs2', 'rs2', 'rs2'])
  expect(judge([udp, ...all], 'wlc', { service, onePacket: true }).outcome).toBe('PASS')
  expect(judge([udp, ...all], 'wlc', { service }).outcome).toBe('FAIL')
})

describe('hashing', () => {
  const clients = ['10.0.0.50', '10.0.0.51', '10.0.0.52', '10.0.0.53']
  const by = (servers: string[]) => answers(servers, n => ({ source: clients[n] ?? '', sourcePort: 1000 + n }))

  it('passes where each client is where its address leads, and fails where one is not', () => {
    const right = by(['rs1', 'rs2', 'rs2', 'rs2'])
    const outcomes = [judge([pool(), ...right], 'sh'), judge([pool(), ...by(['rs2', 'rs2', 'rs2', 'rs2'])], 'sh')]
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['PASS', 'FAIL'])
    // the ports count where they are told to, and the order in which servers were added
    expect(judge([pool(), ...right], 'sh', { flags: ['sh-port'] }).outcome).toBe('FAIL')
    expect(judge([table(0, 'd1', ['rs1', 'rs2']), ...right], 'sh').outcome).toBe('FAIL')
  })

  it('does not fail by a weight that mh remembers', () => {
    const none = pool(({ address }) => ({ weight: address === '10.0.0.11' ? 0 : 1 }))
    const wrong = by(['rs1', 'rs1', 'rs1', 'rs1'])
    expect(judge([none, ...wrong], 'mh')).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('; which weight a server of weight 0 had before is not in the table.'),
    })
    expect(judge([pool(), ...by(['rs2', 'rs1', 'rs1', 'rs1'])], 'mh').outcome).toBe('FAIL')
  })

  it.each(['sh', 'dh', 'fo', 'mh'] as const)('%s does not care for other connections', scheduler => {
    const busy = pool(() => ({ inactive: 3 }))
    const both = [by(['rs1', 'rs1', 'rs1', 'rs1']), by(['rs2', 'rs2', 'rs2', 'rs2'])]
    const outcomes = both.map(all => judge([busy, ...all.map(one => ({ ...one, done: 900 }))], scheduler).outcome)
    expect(outcomes).not.toContain('INCONCLUSIVE')
    expect(outcomes).toContain('FAIL')
  })

  it('fails where somebody answers who gets nobody', () => {
    const none = pool(() => ({ weight: 0 }))
    expect(judge([none, ...by(['rs1'])], 'sh').reason).toBe(
      '0 of 1 connections went where sh sends them: request 1 at 0.100 s (answered by rs1), where nobody gets it (Linux net/netfilter/ipvs/ip_vs_sh.c).',
    )
  })
})

it('says where nobody gets what failed', () => {
  const none = pool(({ address }) => ({ weight: address === '10.0.0.11' ? 0 : 1 }))
  const refused = request(100, { outcome: 'refused', source: '10.0.0.50' })
  expect(judge([none, refused], 'sh').reason).toBe(
    '1 of 1 requests failed, the first was request 1 at 0.100 s (refused): sh gives it to nobody, as it comes upon a server of weight 0; with sh-fallback it tries others.',
  )
})

it('fails on a failed request', () => {
  const failed = answers(['rs2', 'rs1'], n => (n === 1 ? { outcome: 'timeout' } : {}))
  expect(judge([pool(), ...failed], 'lc')).toMatchObject({
    outcome: 'FAIL',
    reason: '1 of 2 requests failed, the first was request 2 at 0.200 s (timeout).',
    proof: [pool(), failed[1]],
  })
})

it('is no evidence without a table, where the pool changes, and where nothing was sent', () => {
  const sent = answers(['rs2', 'rs1'])
  expect(judge(sent, 'lc').reason).toBe(
    `What d1 had in its table for ${SERVICE} before request 1 at 0.100 s (answered by rs2) was not seen.`,
  )
  expect(judge([table(150, 'd1', ['rs2', 'rs1']), ...sent], 'lc').outcome).toBe('INCONCLUSIVE')
  expect(judge([{ ...pool(), services: [] }, ...sent], 'lc')).toMatchObject({
    outcome: 'INCONCLUSIVE',
    proof: [{ t: 0 }],
  })
  // a table of that very moment is one, and one service of several
  const other = { ...table(100, 'd1', ['rs1']).services[0], service: 'TCP 10.0.0.100:443' }
  const several = { ...table(100, 'd1', ['rs2', 'rs1']), services: [other, ...pool().services] } as IpvsEvent
  const earlier = table(50, 'd1', ['rs2'])
  expect(judge([earlier, several, ...sent, { ...several, t: 150 }], 'lc')).toMatchObject({
    outcome: 'PASS',
    proof: [several, sent[0]],
  })
  const reweighted = { ...several, t: 150, services: weighted.services }
  expect(judge([several, ...sent, reweighted], 'lc')).toMatchObject({
    outcome: 'INCONCLUSIVE',
    proof: [several, reweighted],
  })
  expect(judge([pool(), table(150, 'd1', ['rs2']), ...sent], 'lc').reason).toBe(
    `The pool of ${SERVICE} on d1 changed while the probe p asked.`,
  )
  expect(judge([pool(), table(300, 'd1', ['rs2']), ...sent], 'lc').outcome).toBe('PASS')
  expect(judge([pool()], 'lc').reason).toBe('The probe p sent nothing.')
})

it('is no evidence where the probe was starved', () => {
  const late = answers(['rs1', 'rs1'], n => ({ scheduled: 100 + n * 100 - 90 }))
  expect(judge([pool(), ...late], 'lc').outcome).toBe('INCONCLUSIVE')
})
