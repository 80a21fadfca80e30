import { describe, expect, it } from 'vitest'
import type { CommandEvent, LabEvent } from '../history/event.ts'
import {
  addressOf,
  bound,
  DIRECTORS,
  historyInTime,
  holds,
  request,
  SERVICE,
  staleOnD1,
  table,
  VIP,
} from './examples.ts'
import { checkRelease, checkStickiness, type ReleaseParams, type StickinessParams } from './stickiness.ts'

const at = (t: number, server: string, source = '10.0.0.50') => request(t, { server, source })
const params: StickinessParams = { probe: 'p', timeoutMs: 60_000 }
const judge = (events: LabEvent[], changes: Partial<StickinessParams> = {}) =>
  checkStickiness(historyInTime(events), { ...params, ...changes })

describe('within the persistence time', () => {
  it('passes when each client comes back to its own server', () => {
    const verdict = judge([at(0, 'rs1'), at(10, 'rs2', '10.0.0.51'), at(50_000, 'rs1'), at(50_010, 'rs2', '10.0.0.51')])
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      reason: '2 clients came back 2 times within 60 s, always to the same server.',
      measurements: [{ value: 2 }, { value: 0 }],
      proof: [{ t: 0 }, { t: 50_000 }],
    })
  })

  it('fails when one goes elsewhere, and names both requests', () => {
    const verdict = judge([at(0, 'rs1'), at(20_000, 'rs1'), at(79_900, 'rs2'), at(79_950, 'rs2')])
    expect(verdict.outcome).toBe('FAIL')
    expect(verdict.reason).toBe(
      '1 of 3 requests within 60 s of the one before went to another server; the first was request 799 at 79.900 s ' +
        '(answered by rs2), 59.9 s after request 200 at 20.000 s (answered by rs1), both of 10.0.0.50.',
    )
    expect(verdict.measurements).toMatchObject([{ value: 3 }, { value: 1 }])
    expect(verdict.proof.map(event => event.t)).toEqual([20_000, 79_900])
  })

  it('counts from the last request, and lets a client go when the time has run out', () => {
    expect(judge([at(0, 'rs1'), at(10, 'rs1'), at(60_010, 'rs2')]).outcome).toBe('PASS')
    expect(judge([at(0, 'rs1'), at(10, 'rs1'), at(60_009, 'rs2')]).outcome).toBe('FAIL')
  })

  it('takes a network of clients for one where the netmask says so', () => {
    const neighbours = [at(0, 'rs1'), at(100, 'rs2', '10.0.0.51'), at(200, 'rs1')]
    expect(judge(neighbours).outcome).toBe('PASS')
    expect(judge(neighbours, { prefix: 24 })).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('both of 10.0.0.0'),
    })
  })

  it('looks at answers alone, and in its window', () => {
    expect(judge([at(0, 'rs1'), { ...at(10, 'rs2'), outcome: 'reset' }, at(20, 'rs1')]).outcome).toBe('PASS')
    const late = [at(0, 'rs1'), at(1000, 'rs2'), at(2000, 'rs2')]
    expect(judge(late, { window: { from: 1000, until: 2000 } }).outcome).toBe('PASS')
  })

  it('says nothing when nobody came back in time', () => {
    expect(judge([at(0, 'rs1'), at(10, 'rs1', '10.0.0.51'), at(60_000, 'rs2')])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('No client of the probe p was answered twice within 60 s'),
    })
  })
})

describe('a server that left its pool', () => {
  const pool = {
    vip: VIP,
    directors: DIRECTORS,
    service: SERVICE,
    servers: ['rs1', 'rs2'].map(node => ({ node, address: addressOf(node) })),
  }
  const moved = [holds(0, 'd1'), at(1000, 'rs1'), at(20_000, 'rs2')]
  const both = table(0, 'd1', ['rs1', 'rs2'])

  it('excuses its clients, by removal or weight 0, also where it was back soon', () => {
    expect(judge([...moved, both, table(5000, 'd1', ['rs2'])], { pool })).toMatchObject({
      outcome: 'PASS',
      reason: expect.stringContaining('always to the same server; 1 went elsewhere as their server had left the pool.'),
    })
    expect(judge([...moved, both, table(5000, 'd1', ['rs1', 'rs2'], 0)], { pool }).outcome).toBe('PASS')
    expect(
      judge([...moved, both, table(5000, 'd1', ['rs2']), table(6000, 'd1', ['rs1', 'rs2'])], { pool }).outcome,
    ).toBe('PASS')
    expect(judge([...moved, table(0, 'd1', ['rs2'])], { pool }).outcome).toBe('PASS')
  })

  it('excuses nobody at another time, on another director, or when it was another server', () => {
    expect(judge([...moved, both], { pool }).outcome).toBe('FAIL')
    expect(judge([...moved, both, table(5000, 'd1', ['rs2'])]).outcome).toBe('FAIL')
    expect(judge([...moved, both, table(5000, 'd1', ['rs1'])], { pool }).outcome).toBe('FAIL')
    expect(judge([...moved, both, table(5000, 'd2', ['rs2'])], { pool }).outcome).toBe('FAIL')
    expect(judge([...moved, both, table(20_100, 'd1', ['rs2'])], { pool }).outcome).toBe('FAIL')
    const back = [table(0, 'd1', ['rs2']), table(900, 'd1', ['rs1', 'rs2'])]
    expect(judge([...moved, ...back], { pool }).outcome).toBe('FAIL')
    expect(judge(moved, { pool }).outcome).toBe('FAIL')
  })

  it('excuses nobody by the table of a dead director', () => {
    const later = [at(5000, 'rs1'), at(20_000, 'rs2')]
    const tables = [table(0, 'd1', ['rs2']), table(3000, 'd2', ['rs1', 'rs2'])]
    expect(judge([...staleOnD1(), ...later, ...tables], { pool }).outcome).toBe('FAIL')
    expect(judge([...staleOnD1(), ...later, ...tables, table(6000, 'd2', ['rs2'])], { pool }).outcome).toBe('PASS')
  })

  it('looks at the director that took the VIP over as well', () => {
    const taken = [holds(10_000, 'd1', 'remove'), holds(10_001, 'd2'), table(10_000, 'd2', ['rs2'])]
    expect(judge([...moved, both, ...taken], { pool }).outcome).toBe('PASS')
  })
})

describe('release', () => {
  const release: ReleaseParams = { probe: 'p', bound: bound(62_000, 60_000), sameByChance: 0.1 }
  const judged = (events: LabEvent[], changes: Partial<ReleaseParams> = {}) =>
    checkRelease(historyInTime(events), { ...release, ...changes })
  const clients = (count: number, pause: number) =>
    Array.from({ length: count }, (_, n) => [at(n, 'rs1', `10.0.1.${n}`), at(n + pause, 'rs1', `10.0.1.${n}`)]).flat()

  it('passes when a client went elsewhere after its time, and measures the shortest pause', () => {
    const verdict = judged([...clients(4, 62_000), at(100, 'rs1'), at(61_100, 'rs2'), at(200_000, 'rs1')])
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      measurements: [{ name: 'release', value: 61_000 }],
      proof: [{ t: 100 }, { t: 61_100 }],
    })
    expect(verdict.reason).toContain('went to another server (request 611 at 61.100 s (answered by rs2)) 61 s after')
    expect(judged([at(0, 'rs1'), at(60_000, 'rs2')]).outcome).toBe('PASS')
  })

  it('fails when one went elsewhere too early', () => {
    const early = [at(0, 'rs1'), at(59_999, 'rs2')]
    expect(judged([...early, at(150_000, 'rs1')])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining(
        'went to another server (request 599.99 at 59.999 s (answered by rs2)) only 60 s',
      ),
      measurements: [{ value: 59_999 }],
      proof: [{ t: 0 }, { t: 59_999 }],
    })
    expect(judged([at(0, 'rs1'), at(60_000, 'rs2')], { bound: bound(62_000) }).outcome).toBe('FAIL')
  })

  it('fails when all came back to the same server, more than chance explains', () => {
    expect(judged(clients(3, 62_000), { significance: 0.0005 }).outcome).toBe('INCONCLUSIVE')
    expect(judged(clients(4, 62_000))).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('which chance does not explain (p = 0.0001)'),
      measurements: [{ name: 'kept for', value: 62_000 }],
    })
  })

  it('says nothing of few clients, or where nobody paused long enough', () => {
    expect(judged(clients(2, 62_000))).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('which chance explains (p = 0.01)'),
      proof: [{}, {}],
    })
    expect(judged(clients(9, 61_999))).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'No client of the probe p came back after a pause of 62 s or more.',
    })
    const before = [at(0, 'rs1'), at(62_000, 'rs2')]
    expect(judged(before, { window: { from: 1, until: 99_000 } }).outcome).toBe('INCONCLUSIVE')
  })

  describe('by the list of templates', () => {
    const templates = { node: 'd1', command: 'ipvsadm -Lnc' }
    const list = (t: number, has = true, node = 'd1', command = templates.command): CommandEvent => ({
      kind: 'command',
      t,
      done: t + 10,
      node,
      command,
      code: 0,
      output: `IPVS connection entries\nTCP 00:10 NONE ${has ? '10.0.0.50' : '110.0.0.50'}:0 10.0.0.100:80 10.0.0.11:80\n`,
    })
    const pause = [at(0, 'rs1'), at(90_000, 'rs1')]
    const listed = (...lists: LabEvent[]) => judged([...pause, ...lists], { templates })

    it('passes when it was there, and then gone in time', () => {
      expect(listed(list(100), list(59_000), list(61_000, false), list(80_000, false))).toMatchObject({
        outcome: 'PASS',
        reason: expect.stringContaining('The template of 10.0.0.50 was gone 61.01 s after its last request'),
        measurements: [{ name: 'release', value: 61_010 }],
        proof: [{ t: 0 }, { t: 59_000 }, { t: 61_000 }],
      })
      // nobody looked between: it may have gone in time
      expect(listed(list(100), list(62_000), list(70_000, false)).outcome).toBe('PASS')
    })

    it('fails when it was gone too early, or still there too late', () => {
      expect(listed(list(100), list(59_980, false))).toMatchObject({
        outcome: 'FAIL',
        reason: expect.stringContaining('which is too early'),
      })
      expect(listed(list(100), list(59_990, false)).outcome).toBe('PASS')
      expect(listed(list(100), list(62_001), list(70_000, false))).toMatchObject({
        outcome: 'FAIL',
        reason: expect.stringContaining('which is too late'),
      })
      expect(listed(list(100), list(62_001))).toMatchObject({
        outcome: 'FAIL',
        reason: expect.stringContaining('was still there 62 s after'),
        measurements: [{ value: 62_001 }],
      })
    })

    it('is not judged by a list of which the journal has a part alone', () => {
      const part = { ...list(59_000, false), truncated: true }
      expect(listed(list(100), part)).toMatchObject({
        outcome: 'INCONCLUSIVE',
        reason:
          '`ipvsadm -Lnc` on d1 listed more than the journal keeps: whether it had the template of 10.0.0.50 is not known.',
      })
      // one that has it says so
      expect(listed(list(100), { ...list(59_000), truncated: true }, list(61_000, false)).outcome).toBe('PASS')
    })

    it('falls back on where clients went when the lists do not say', () => {
      const silent = [
        [],
        [list(100), list(62_000)],
        [list(100, false), list(61_000, false)],
        [list(100, true, 'd2'), list(61_000, false, 'd2')],
        [list(100, true, 'd1', 'ipvsadm -Ln'), list(61_000, false, 'd1', 'ipvsadm -Ln')],
        [list(100), list(89_990, false)],
        [list(0), list(61_000, false)],
      ]
      for (const lists of silent) expect(listed(...lists)).toMatchObject({ outcome: 'INCONCLUSIVE' })
    })

    it('knows a group of IPv6 clients by their network', () => {
      const six = (t: number, n: number) => at(t, 'rs1', `fd00::${n}`)
      const there: CommandEvent = { ...list(100), output: 'TCP 00:10 NONE [fd00::]:0 [fd00::100]:80 [fd00::11]:80' }
      const lists = [there, { ...there, t: 61_000, done: 61_010, output: '' }]
      expect(judged([six(0, 50), six(90_000, 51), ...lists], { templates, prefix: 64 })).toMatchObject({
        outcome: 'PASS',
        reason: expect.stringContaining('The template of fd00:: was gone'),
      })
    })

    it('knows an IPv6 client, which stands in brackets', () => {
      const six = (t: number) => at(t, 'rs1', 'fd00::50')
      const there: CommandEvent = { ...list(100), output: 'TCP 00:10 NONE [fd00::50]:0 [fd00::100]:80 [fd00::11]:80' }
      const verdict = judged([six(0), six(90_000), there, { ...there, t: 61_000, done: 61_010, output: '' }], {
        templates,
      })
      expect(verdict).toMatchObject({ outcome: 'PASS', measurements: [{ value: 61_010 }] })
    })
  })
})

it('excuses by the very server that left, in a table that has the service', () => {
  const pool = {
    vip: VIP,
    directors: DIRECTORS,
    service: SERVICE,
    servers: ['rs1', 'rs2'].map(node => ({ node, address: addressOf(node) })),
  }
  const moved = [holds(0, 'd1'), at(1000, 'rs2'), at(20_000, 'rs1')]
  expect(judge([...moved, table(0, 'd1', ['rs2'])], { pool }).outcome).toBe('FAIL')
  expect(judge([...moved, table(0, 'd1', ['rs1'])], { pool }).outcome).toBe('PASS')
  expect(judge([...moved, { ...table(0, 'd1', []), services: [] }], { pool }).outcome).toBe('PASS')
  const stranger = [holds(0, 'd1'), at(1000, 'rs9'), at(20_000, 'rs1'), table(0, 'd1', ['rs1'])]
  expect(judge(stranger, { pool }).outcome).toBe('PASS')
})

it('measures a release from the last request, the shortest pause and the longest', () => {
  const release: ReleaseParams = { probe: 'p', bound: bound(62_000, 60_000), sameByChance: 0.0001 }
  const run = (events: LabEvent[], changes: Partial<ReleaseParams> = {}) =>
    checkRelease(historyInTime(events), { ...release, ...changes })
  const two = [at(0, 'rs1'), at(65_000, 'rs2'), at(10, 'rs1', '10.0.0.51'), at(61_010, 'rs2', '10.0.0.51')]
  expect(run(two).measurements).toEqual([{ name: 'release', value: 61_000, unit: 'ms' }])
  const kept = run([at(0, 'rs1'), at(65_000, 'rs1'), at(10, 'rs1', '10.0.0.51'), at(63_010, 'rs1', '10.0.0.51')])
  expect(kept).toMatchObject({ outcome: 'FAIL', measurements: [{ value: 65_000 }], proof: [{ t: 10 }, { t: 63_010 }] })
  expect(run([at(0, 'rs1'), at(65_000, 'rs1')], { sameByChance: 0.001 }).outcome).toBe('FAIL')
  expect(run([at(0, 'rs1')]).proof).toEqual([])
  const list = (t: number, output: string): LabEvent => ({
    ...{ kind: 'command', t, done: t + 10, node: 'd1', command: 'ipvsadm -Lnc', code: 0, output },
  })
  const templates = { node: 'd1', command: 'ipvsadm -Lnc' }
  const there = 'TCP 00:10 NONE 10.0.0.50:0 10.0.0.100:80 10.0.0.11:80'
  const late = [at(100_000, 'rs1'), at(190_000, 'rs1')]
  const gone = run([...late, list(100_100, there), list(161_000, '')], { templates })
  expect(gone).toMatchObject({ outcome: 'PASS', measurements: [{ name: 'release', value: 61_010 }] })
  expect(gone.reason).toMatch(/after its last request \(/)
  expect(run([...late, list(100_100, there), list(162_000, there)], { templates }).reason).toContain('which chance')
  expect(run([...late, list(100_100, there), list(162_001, there)], { templates }).reason).toContain('still there')
  const open = run([...late, list(100_100, there), list(100_200, '')], { templates, bound: bound(62_000) })
  expect(open.outcome).toBe('PASS')
})

it('measures the shortest of the pauses after which clients went elsewhere', () => {
  const away = [at(0, 'rs1'), at(62_500, 'rs2'), at(3000, 'rs1', '10.0.0.51'), at(64_000, 'rs2', '10.0.0.51')]
  const release: ReleaseParams = { probe: 'p', bound: bound(62_000, 60_000), sameByChance: 0.5 }
  expect(checkRelease(historyInTime(away), release).measurements).toMatchObject([{ value: 61_000 }])
})

describe('of several that moved', () => {
  const [b, c] = ['10.0.0.51', '10.0.0.52']
  const proofOf = ({ proof }: { proof: readonly LabEvent[] }) => proof.map(event => event.t)

  it('all are counted, and the first is named: of those that went astray, and of those that had to go', () => {
    const two = [at(0, 'rs1'), at(10, 'rs1', b), at(1000, 'rs2'), at(1010, 'rs2', b)]
    const astray = judge(two)
    expect(astray).toMatchObject({ outcome: 'FAIL', measurements: [{ value: 2 }, { value: 2 }] })
    expect(proofOf(astray)).toEqual([0, 1000])
    const servers = ['rs1', 'rs2'].map(node => ({ node, address: addressOf(node) }))
    const pool = { vip: VIP, directors: DIRECTORS, service: SERVICE, servers }
    const excused = judge([holds(0, 'd1'), ...two, table(500, 'd1', ['rs2'])], { pool })
    expect(excused).toMatchObject({ outcome: 'PASS', reason: expect.stringContaining('; 2 went elsewhere') })
    expect(proofOf(excused)).toEqual([0, 1000])
    // one that stayed is shown beside the first that had to go
    const stayed = judge([holds(0, 'd1'), at(-20, 'rs1', c), at(-10, 'rs1', c), ...two, table(500, 'd1', ['rs2'])], {
      pool,
    })
    expect(proofOf(stayed)).toEqual([-20, -10, 0, 1000])
  })

  it('a release is the first of the shortest pauses, and what is too early the first that was', () => {
    const release: ReleaseParams = { probe: 'p', bound: bound(62_000, 60_000), sameByChance: 0.0001 }
    const run = (events: LabEvent[], changes: Partial<ReleaseParams> = {}) =>
      checkRelease(historyInTime(events), { ...release, ...changes })
    expect(proofOf(run([at(0, 'rs1'), at(10, 'rs1', b), at(61_000, 'rs2'), at(61_010, 'rs2', b)]))).toEqual([0, 61_000])
    expect(proofOf(run([at(0, 'rs1'), at(10, 'rs1', b), at(9000, 'rs2'), at(5010, 'rs2', b)]))).toEqual([10, 5010])
    // the longest that was kept need not be the last
    const kept = [at(0, 'rs1', c), at(10, 'rs1'), at(70_000, 'rs1', c), at(70_005, 'rs1')]
    expect(run(kept).measurements).toMatchObject([{ value: 70_000 }])
    // a comparison with what is no number keeps nobody
    expect(run(kept, { bound: bound(Number.NaN) }).outcome).toBe('INCONCLUSIVE')
  })
})
