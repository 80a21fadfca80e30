/**
 * What an hour at 200 requests/s costs, in one process: written to a journal and into a history as a lab would, judged, then read
 * back from the disk and judged again. Prints the peak of the memory that the process ever had (RSS), which must stay below 300 MB.
 *
 *   npm run bench -- history
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { LabEvent } from '../../src/history/event.ts'
import { History, readHistories } from '../../src/history/history.ts'
import { openJournal } from '../../src/history/journal.ts'
import { createMasker } from '../../src/history/mask.ts'
import { checkFailover } from '../../src/judge/failover.ts'
import { guard } from '../../src/judge/guard.ts'
import { checkSingleOwner } from '../../src/judge/owner.ts'
import { checkPool } from '../../src/judge/pool.ts'
import { checkPreemption } from '../../src/judge/preemption.ts'
import { checkShares } from '../../src/judge/shares.ts'
import { checkSorry } from '../../src/judge/sorry.ts'
import { checkSpread } from '../../src/judge/spread.ts'
import { checkRelease, checkStickiness } from '../../src/judge/stickiness.ts'
import { checkUndisturbed } from '../../src/judge/undisturbed.ts'
import type { Verdict } from '../../src/judge/verdict.ts'
import type { Bound } from '../../src/model/types.ts'
import { benchOptions } from '../bench-options.ts'
import { scratchFolder } from '../scratch-folder.ts'

benchOptions({})

const HOUR_MS = 3_600_000
const RATE = 200
const LIMIT_MB = 300

const VIP = '10.0.0.100'
const SERVICE = `TCP ${VIP}:80`
const SERVERS = { rs1: '10.0.0.10', rs2: '10.0.0.20' }
const DIRECTORS = { d1: '10.0.0.200', d2: '10.0.0.201' }
const [CRASH, TAKEN, HTTPD, REMOVED, HEAL] = [1_800_000, 1_803_400, 2_400_000, 2_404_000, 3_000_000]

/** The table of a director, as a snapshot each 10 s has it. */
const table = (t: number, node: string, servers: string[]): LabEvent => ({
  ...{ kind: 'ipvs', t, node, reason: 'log' },
  services: [
    {
      ...{ service: SERVICE, scheduler: 'rr', persistent: false },
      destinations: servers.map(address => ({
        ...{ address, port: 80, forwarding: 'Route', weight: 1, active: 3, inactive: t % 997 },
        counters: { connections: t, packetsIn: t * 6, packetsOut: 0, bytesIn: t * 420, bytesOut: 0 },
      })),
    },
  ],
})

/** An hour of a pair: d1 crashes in the middle of it, rs1 stops answering later and comes back. */
function* hour(): Generator<LabEvent> {
  const holds = (t: number, node: string, change: 'add' | 'remove' = 'add'): LabEvent => ({
    ...{ kind: 'address', t, change, node, device: 'eth0', address: VIP, prefix: 24 },
  })
  const fault = (t: number, phase: 'inject' | 'heal', name: string, node: string): LabEvent => ({
    ...{ kind: 'fault', t, done: t + 30, phase, fault: name, node },
  })
  yield holds(0, 'd1')
  yield table(0, 'd1', Object.values(SERVERS))
  yield { kind: 'probe', t: 0, phase: 'start', probe: 'clients', client: 'c1', target: VIP, rate: RATE }
  const once = new Map<number, LabEvent[]>([
    [CRASH, [fault(CRASH, 'inject', 'keepalived-crash', 'd1')]],
    [TAKEN, [holds(TAKEN, 'd1', 'remove'), holds(TAKEN, 'd2'), table(TAKEN, 'd2', Object.values(SERVERS))]],
    [HTTPD, [fault(HTTPD, 'inject', 'httpd-crash', 'rs1')]],
    [REMOVED, [table(REMOVED, 'd2', [SERVERS.rs2])]],
    [HEAL, [fault(HEAL, 'heal', 'httpd-crash', 'rs1'), table(HEAL + 4000, 'd2', Object.values(SERVERS))]],
  ])
  for (let n = 0; n < (HOUR_MS / 1000) * RATE; n++) {
    const scheduled = (n * 1000) / RATE
    yield* once.get(scheduled) ?? []
    const owner = scheduled < TAKEN ? 'd1' : 'd2'
    if (scheduled % 1000 === 0) {
      yield {
        ...{
          kind: 'advert',
          t: scheduled,
          network: 'lan',
          source: DIRECTORS[owner],
          node: owner,
          version: 2,
          vrid: 50,
        },
        ...{ destination: '233.6.6.6', priority: owner === 'd1' ? 100 : 80, interval: 1000, addresses: [VIP] },
        authentication: { type: 'PASS', secret: 'secret-1' },
      }
    }
    if (scheduled % 10_000 === 0)
      yield table(
        scheduled,
        owner,
        scheduled > REMOVED && scheduled < HEAL + 4000 ? [SERVERS.rs2] : Object.values(SERVERS),
      )
    const failed = scheduled > HTTPD && scheduled < REMOVED && n % 2 === 0
    const server = scheduled > REMOVED && scheduled < HEAL + 4000 ? 'rs2' : n % 2 ? 'rs2' : 'rs1'
    const t = scheduled + (n % 7) / 10
    yield {
      ...{ kind: 'request', probe: 'clients', n, client: 'c1', scheduled, source: '10.0.0.50', target: VIP, t },
      ...{ sourcePort: 1024 + (n % 60_000), done: t + 2 + (n % 31) / 10 },
      ...(failed
        ? { outcome: 'refused', detail: `connect ECONNREFUSED ${VIP}:80 after ${(n % 991) / 10} ms` }
        : { outcome: 'answered', status: 200, server, detail: `${server} ${SERVERS[server]}` }),
    }
  }
  yield { kind: 'probe', t: HOUR_MS, phase: 'stop', probe: 'clients', client: 'c1', target: VIP, rate: RATE }
}

const bound = (maxMs: number): Bound => ({ name: 'bench', formula: `${maxMs} ms`, maxMs, source: 'bench' })
const directors = Object.keys(DIRECTORS)
const servers = Object.entries(SERVERS).map(([node, address]) => ({ node, address }))
const watch = { probe: 'clients', stepMs: 1000 / RATE }
const pair = { vip: VIP, directors }

const CHECKS: Record<string, (history: History) => Verdict> = {
  failover: history =>
    checkFailover(history, { ...pair, from: 'd1', to: 'd2', fault: 'keepalived-crash', bound: bound(4000), watch }),
  preemption: history =>
    checkPreemption(history, { ...pair, to: 'd1', fault: 'keepalived-crash', bound: bound(4000), watch }),
  'single owner': history =>
    checkSingleOwner(history, {
      vip: VIP,
      directors: Object.entries(DIRECTORS).map(([node, address]) => ({ node, address })),
      bound: bound(1000),
    }),
  pool: history =>
    checkPool(history, {
      ...{ ...pair, service: SERVICE, server: { node: 'rs1', address: SERVERS.rs1, port: 80 }, fault: 'httpd-crash' },
      ...{ downBound: bound(5000), upBound: bound(5000), probe: 'clients' },
    }),
  shares: history =>
    checkShares(history, {
      probe: 'clients',
      window: { from: 0, until: CRASH },
      expected: { scheduler: 'rr', cycle: 2, shares: { rs1: 1, rs2: 1 }, source: 'bench' },
    }),
  sorry: history =>
    checkSorry(history, {
      ...{ ...pair, service: SERVICE, servers, fault: 'httpd-crash', probe: 'clients', bound: bound(5000) },
    }),
  // all of one address, which goes to either server in turn: nearly every request went to another one
  stickiness: history => checkStickiness(history, { probe: 'clients', timeoutMs: 50_000 }),
  release: history => checkRelease(history, { probe: 'clients', bound: bound(50_000), sameByChance: 0.5 }),
  spread: history =>
    checkSpread(history, {
      probe: 'clients',
      window: { from: 0, until: CRASH },
      expected: { scheduler: 'twos', shares: { rs1: 1, rs2: 1 }, source: 'bench' },
    }),
  undisturbed: history =>
    checkUndisturbed(history, {
      ...{ ...pair, owner: 'd2', fault: 'httpd-crash', node: 'rs1', probe: 'clients', watchBound: bound(5000) },
    }),
}

const peakMb = (): number => process.resourceUsage().maxRSS / 1024

const timed = async <T>(what: string, run: () => Promise<T> | T): Promise<T> => {
  const started = performance.now()
  const result = await run()
  const took = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${what}: ${took} s, peak memory so far ${peakMb().toFixed(0)} MB`)
  return result
}

const judgeAll = (history: History): string =>
  Object.entries(CHECKS)
    .map(([name, check]) => `${name} ${guard(history, check).outcome}`)
    .join(', ')

const record = async (file: string): Promise<History> => {
  const history = new History()
  await using journal = await openJournal(file, createMasker(['benchpass']))
  for (const event of hour()) {
    history.add(event)
    const written = journal.write({ ...event, lab: 'hour' })
    // events come as the lab reports them, a second's worth at a time at most
    if (event.kind === 'advert') await written
  }
  return history
}

const dir = scratchFolder('history')
const file = path.join(dir, 'journal.ndjson')
console.log(`before: peak memory ${peakMb().toFixed(0)} MB`)
const verdicts = await timed('written to the journal and into a history, judged', async () => {
  const history = await timed('  written', () => record(file))
  console.log(`  ${history.size} events, ${history.requests.length} of them requests`)
  return timed('  judged', () => judgeAll(history))
})
console.log(`journal: ${((await stat(file)).size / 1e6).toFixed(0)} MB`)
const again = await timed('read back and judged', async () => {
  const history = await timed('  read', async () => (await readHistories(file)).labs.get('hour') ?? new History())
  return timed('  judged', () => judgeAll(history))
})
console.log(verdicts)
if (again !== verdicts) throw new Error(`from the disk the verdicts are others: ${again}`)
const peak = peakMb()
console.log(`peak memory: ${peak.toFixed(0)} MB, limit ${LIMIT_MB} MB`)
if (peak > LIMIT_MB) process.exitCode = 1
