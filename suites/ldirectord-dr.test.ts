import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { withSlack } from '../src/model/bound.ts'
import { SERVER_FAILURES, type ServerFault } from '../src/model/faults.ts'
import {
  LDIRECTORD_DEFAULTS,
  type LdirectordCheck,
  ldirectordDownBound,
  ldirectordFailed,
  ldirectordReloadBound,
  ldirectordTimeouts,
  ldirectordUpBound,
} from '../src/model/ldirectord.ts'
import type { Bound } from '../src/model/types.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { SLACK_MS } from '../src/verify/scenario.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { ask, NAMES, SERVERS, type ServerName, sharesOfWeights } from './routed-pool.ts'
import { READING_MS, run, within } from './steps.ts'
import { outcomes, outcomesOnce } from './traffic.ts'

const dir = 'topologies/ldirectord-dr'
const test = labTest(dir)

const VIP = '10.0.0.100'
const SERVICE = `TCP ${VIP}:80`
const PAGE = `http://${VIP}/index.html`
const CONF = '/etc/ha.d/ldirectord.cf'
const LOG = '/var/log/ldirectord.log'
const FALLBACK = '127.0.0.1:80'
const PATIENCE_MS = 2_000
/** Between two requests of the clients, which see a change so much later. */
const STEP_MS = 100

const configuration = readFileSync(`${dir}/d1${CONF}`, 'utf8')
/** A duration of d1's ldirectord.cf, ms. */
const configured = (name: string): number => {
  const [, value] = new RegExp(String.raw`^${name}=(\d+)$`, 'm').exec(configuration) ?? []
  if (value === undefined) throw new Error(`${CONF} has no ${name}`)
  return Number(value) * 1000
}
const check: LdirectordCheck = {
  ...LDIRECTORD_DEFAULTS,
  type: 'negotiate',
  timeout: ldirectordTimeouts({}, { checkTimeout: configured('checktimeout') }).negotiateTimeout,
  interval: configured('checkinterval'),
}
const promised = (bound: Bound | undefined): Bound => {
  if (!bound) throw new Error('ldirectord does not see this failure')
  return bound
}
const reload = ldirectordReloadBound(check)

const keysOf = (...names: ServerName[]): string[] => names.map(name => `${SERVERS[name]}:80`)

/** Waits until exactly these get new connections. */
const untilPool = async (lab: Lab, destinations: string[], bound: Bound): Promise<void> => {
  const pool = { kind: 'pool', node: 'd1', service: SERVICE, destinations } as const
  const what = `${destinations.join(', ')} within ${bound.formula}`
  expect(await lab.until(pool, bound.maxMs + PATIENCE_MS), what).toBe(true)
}

/** ldirectord has found both real servers: how a test begins. */
const ready = (lab: Lab): Promise<void> =>
  untilPool(lab, keysOf('rs1', 'rs2'), promised(ldirectordUpBound(check, 'refused')))

/** The servers of the last table, with their weights. */
const weights = async (lab: Lab): Promise<Record<string, number>> => {
  await lab.snapshot()
  const { destinations } = tablesOf(lab.history, 'd1').at(-1)?.services[0] ?? {}
  return Object.fromEntries((destinations ?? []).map(({ address, port, weight }) => [`${address}:${port}`, weight]))
}

/** The table while both real servers are well. */
const BOTH = Object.fromEntries(keysOf('rs1', 'rs2').map(key => [key, 1]))

/** Changes ldirectord.cf by a script of sed; ldirectord has said what it does about it when this returns. */
const edit = async (lab: Lab, script: string, says = 'reread new configuration'): Promise<void> => {
  // an edit in the second of the last one is overlooked
  await run(lab, 'd1', `while [ $(stat -c %Y ${CONF}) = $(date +%s) ]; do sleep 0.1; done`)
  const said = lab.until({ kind: 'line', node: 'd1', file: LOG, match: says }, reload.maxMs + PATIENCE_MS)
  const edited = await run(lab, 'd1', `sed -i '${script}' ${CONF}`)
  expect(await said, says).toBe(true)
  within(lab, `ldirectord notices the edit: ${says}`, edited, await lab.now(), reload)
}

/** Those that need no parameters. */
type PlainFault = Exclude<ServerFault, 'httpd-slow' | 'httpd-refuse' | 'listener-crash'>

/** One for each failure. */
const FAULTS: PlainFault[] = ['httpd-stop', 'httpd-error', 'httpd-hang', 'link-down']

/** Breaks rs1, waits until it is out, heals it, waits until it is back; all of that is judged. */
const failAndReturn = async (lab: Lab, fault: PlainFault, of: LdirectordCheck): Promise<void> => {
  const { failure } = SERVER_FAILURES[fault]
  const read = (bound: Bound | undefined): Bound => withSlack(promised(bound), 'for reading the table', READING_MS)
  const downBound = read(ldirectordDownBound(of, failure))
  const upBound = read(ldirectordUpBound(of, failure))
  const probe = `clients, ${fault}`
  const clients = await lab.http({ probe, client: 'c1', url: PAGE, rate: 1000 / STEP_MS })
  const heal = await lab.inject(fault, 'rs1')
  await untilPool(lab, keysOf('rs2'), downBound)
  await lab.sleep(1_000)
  await clients.stop()
  await heal()
  await untilPool(lab, keysOf('rs1', 'rs2'), upBound)
  await lab.snapshot()
  const server = { node: 'rs1', address: SERVERS.rs1, port: 80 }
  const what = { vip: VIP, directors: ['d1'], service: SERVICE, server, fault, probe, slackMs: SLACK_MS }
  expect(lab.history).toPass(
    'pool',
    { ...what, downBound, upBound, inhibit: ldirectordFailed(of) !== 'gone' },
    { check: `pool-${fault}`, title: `ldirectord takes rs1 out after ${fault}, and back` },
  )
}

describe('what ldirectord.cf promises', () => {
  for (const scenario of planScenarios(planTopology(loadTopology(dir)))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }
})

test('both real servers in turn', async ({ lab }) => {
  await ready(lab)
  await ask(lab, 'both', PAGE)
  expect(lab.history).toPass('shares', { probe: 'both', expected: sharesOfWeights('rr', { rs1: 1, rs2: 1 }) })
  expect(await weights(lab)).toEqual(BOTH)
})

describe('a failed real server', () => {
  test('is removed and comes back, each within its bound', async ({ lab }) => {
    await ready(lab)
    for (const fault of FAULTS) await failAndReturn(lab, fault, check)
  })

  test('stays with weight 0 where quiescent is yes, and is removed where it is left out', async ({ lab }) => {
    await ready(lab)
    await edit(lab, 's/^quiescent=no/quiescent=yes/')
    await failAndReturn(lab, 'httpd-stop', { ...check, quiescent: true })
    // the manual says that yes is the default; the program says no
    await edit(lab, '/^quiescent=/d')
    await failAndReturn(lab, 'httpd-crash', { ...check, quiescent: LDIRECTORD_DEFAULTS.quiescent })
  })

  test('keeps its clients where ldirectord checks otherwise, or not at all', async ({ lab }) => {
    await ready(lab)
    await edit(lab, 's/checktype=negotiate/checktype=connect/')
    const connect: LdirectordCheck = { ...check, type: 'connect' }
    const unseen = FAULTS.filter(fault => !ldirectordDownBound(connect, SERVER_FAILURES[fault].failure))
    expect(unseen).toEqual(['httpd-error', 'httpd-hang'])
    const heals = await Promise.all(unseen.map((fault, n) => lab.inject(fault, NAMES[n] ?? '')))
    await lab.sleep(promised(ldirectordDownBound(check, 'hanging')).maxMs + PATIENCE_MS)
    expect(await weights(lab)).toEqual(BOTH)
    for (const heal of heals) await heal()

    await edit(lab, 's/checktype=connect/checktype=on/')
    const heal = await lab.inject('httpd-stop', 'rs1')
    await lab.sleep(promised(ldirectordDownBound(check, 'refused')).maxMs + PATIENCE_MS)
    await ask(lab, 'unchecked', PAGE)
    expect(outcomes(lab, 'unchecked')).toEqual(['refused', 'refused', 'rs2', 'rs2'])
    await edit(lab, 's/checktype=on/checktype=negotiate/')
    await untilPool(lab, keysOf('rs2'), promised(ldirectordDownBound(check, 'refused')))
    await ask(lab, 'checked', PAGE)
    expect(outcomesOnce(lab, 'checked')).toEqual(['rs2'])
    await heal()
  })
})

describe('the fallback', () => {
  test('answers while every real server is down, and nobody does without its line', async ({ lab }) => {
    await ready(lab)
    // one server after the other is waited for
    const down = promised(ldirectordDownBound(check, 'hanging', check.timeout))
    const up = promised(ldirectordUpBound(check, 'hanging', check.timeout))
    const clients = await lab.http({ probe: 'clients', client: 'c1', url: PAGE, rate: 1000 / STEP_MS })
    const heals = await Promise.all(NAMES.map(node => lab.inject('httpd-hang', node)))
    await untilPool(lab, [FALLBACK], down)
    await lab.sleep(1_000)
    for (const heal of heals) await heal()
    await untilPool(lab, keysOf('rs1', 'rs2'), up)
    await lab.sleep(1_000)
    await clients.stop()
    await lab.snapshot()
    const servers = NAMES.map(node => ({ node, address: SERVERS[node] }))
    const seen = (bound: Bound): Bound => withSlack(bound, 'for reading and a probe step', READING_MS + STEP_MS)
    expect(lab.history).toPass('sorry', {
      ...{ vip: VIP, directors: ['d1'], service: SERVICE, servers, fault: 'httpd-hang', probe: 'clients' },
      ...{ bound: seen(down), endsBound: seen(up), overlapMs: SLACK_MS, slackMs: SLACK_MS },
    })

    await edit(lab, '/fallback=/d')
    const again = await Promise.all(NAMES.map(node => lab.inject('httpd-stop', node)))
    await untilPool(lab, [], promised(ldirectordDownBound(check, 'refused')))
    await ask(lab, 'no fallback', PAGE)
    expect(outcomesOnce(lab, 'no fallback')).toEqual(['refused'])
    for (const heal of again) await heal()
  })
})

describe('autoreload', () => {
  const without = '/real=192.168.137.131/d'

  test('takes a real server out and back in, and leaves a wrong file alone', async ({ lab }) => {
    await ready(lab)
    await edit(lab, without)
    await untilPool(lab, keysOf('rs2'), reload)
    await ask(lab, 'removed', PAGE)
    expect(outcomesOnce(lab, 'removed')).toEqual(['rs2'])
    // it adds the server, takes it out at once, and adds it again when a check of it has passed (ld_start)
    const line = 'Deleted real server: 192.168.137.131:80 (10.0.0.100:80)'
    const out = lab.until({ kind: 'event', match: { kind: 'log', node: 'd1', line } }, reload.maxMs + PATIENCE_MS)
    await edit(lab, 's/^\treal=/\treal=192.168.137.131:80 gate\\n&/')
    expect(await out).toBe(true)
    await untilPool(lab, keysOf('rs1', 'rs2'), reload)
    await ask(lab, 'added', PAGE)
    expect(lab.history).toPass('shares', { probe: 'added', expected: sharesOfWeights('rr', { rs1: 1, rs2: 1 }) })

    await edit(lab, 's/:80 gate$/:80 bridge/', 'forward method must be gate, masq or ipip')
    await lab.sleep(reload.maxMs)
    expect(await weights(lab)).toEqual(BOTH)
  })

  test('overlooks a file that is as old as the one before', async ({ lab }) => {
    await ready(lab)
    await run(lab, 'd1', `cp -p ${CONF} /tmp/before; sed -i '${without}' ${CONF}; touch -r /tmp/before ${CONF}`)
    await lab.sleep(reload.maxMs + PATIENCE_MS)
    expect(await weights(lab)).toEqual(BOTH)
    await run(lab, 'd1', `touch ${CONF}`)
    await untilPool(lab, keysOf('rs2'), reload)
  })

  test('set to no, an edit is noticed and not read until a reload', async ({ lab }) => {
    await ready(lab)
    await edit(lab, 's/^autoreload=yes/autoreload=no/')
    await edit(lab, without, 'ignore new configuration')
    await lab.sleep(reload.maxMs + PATIENCE_MS)
    expect(await weights(lab)).toEqual(BOTH)
    await run(lab, 'd1', 'kill -HUP $(cat /run/ldirectord.ldirectord.pid)')
    await untilPool(lab, keysOf('rs2'), reload)
  })
})

test('killed, ldirectord leaves its table to nobody; stopped, it takes it along', async ({ lab }) => {
  await ready(lab)
  await run(lab, 'd1', 'pkill -KILL -x ldirectord')
  const heal = await lab.inject('httpd-stop', 'rs1')
  await lab.sleep(promised(ldirectordDownBound(check, 'refused')).maxMs + PATIENCE_MS)
  await ask(lab, 'killed', PAGE)
  expect(outcomes(lab, 'killed')).toEqual(['refused', 'refused', 'rs2', 'rs2'])
  await run(lab, 'd1', '/usr/lib/lvslab/service ldirectord start')
  await untilPool(lab, keysOf('rs2'), promised(ldirectordDownBound(check, 'refused')))
  await heal()

  await run(lab, 'd1', 'service=/usr/lib/lvslab/service; $service ldirectord stop; $service ldirectord ended')
  expect((await run(lab, 'd1', 'ipvsadm-save -n')).stdout).toBe('')
  await ask(lab, 'stopped', PAGE)
  expect(outcomesOnce(lab, 'stopped'), 'the VIP is still on d1').toEqual(['d1'])
})
