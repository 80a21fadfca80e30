import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import type { PlannedCheck } from '../judge/rules.ts'
import type { Lab } from '../lab/lab.ts'
import { type KeepalivedRelease, OWN_KEEPALIVED } from '../model/keepalived.ts'
import { withKeepalived } from '../topology/keepalived.ts'
import { loadTopology } from '../topology/load.ts'
import { type Plan, planTopology } from './plan.ts'
import type { Scenario } from './scenario.ts'
import { planScenarios } from './scenarios.ts'

const TOPOLOGIES = path.resolve(import.meta.dirname, '../../topologies')
export const planOf = (name: string): Plan => planTopology(loadTopology(path.join(TOPOLOGIES, name)))

export type Change = (text: string) => string
export const same: Change = text => text

/** How the DR pair is changed: the services of both directors, the VRRP instance of each. */
interface Changes {
  services?: Change
  instances?: { d1?: Change; d2?: Change }
  topology?: Change
  /** /etc/rc.local of the real servers. */
  started?: string
  keepalived?: KeepalivedRelease
}

// a plan reads its nodes' files when it is asked what they speak
const parents: string[] = []
afterAll(() => {
  for (const parent of parents) rmSync(parent, { recursive: true })
})

/** The plan of the DR pair, changed. */
const pairWith = (changes: Changes): Plan => {
  const { services = same, instances = {}, topology = same, started, keepalived = OWN_KEEPALIVED } = changes
  const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
  parents.push(parent)
  const dir = path.join(parent, 'keepalived-dr')
  cpSync(path.join(TOPOLOGIES, 'keepalived-dr'), dir, { recursive: true })
  const yaml = path.join(dir, 'topology.yaml')
  writeFileSync(yaml, topology(readFileSync(yaml, 'utf8')))
  for (const director of ['d1', 'd2'] as const) {
    for (const [name, change] of Object.entries({ lvs_nginx: services, vip_nginx: instances[director] ?? same })) {
      const file = path.join(dir, director, `etc/keepalived/conf.d/${name}.conf`)
      writeFileSync(file, change(readFileSync(file, 'utf8')))
    }
  }
  if (started !== undefined)
    for (const server of ['rs1', 'rs2']) {
      mkdirSync(path.join(dir, server, 'etc'), { recursive: true })
      writeFileSync(path.join(dir, server, 'etc/rc.local'), started, { mode: 0o755 })
    }
  return planTopology(withKeepalived(loadTopology(dir), keepalived))
}

/** With the VRRP instance of both directors changed. */
export const changedPlan = (services: Change, instance: Change = same): Plan =>
  pairWith({ services, instances: { d1: instance, d2: instance } })

/** On a network that is a bridge, with the VRRP instance of both directors changed. */
export const bridgedPlan = (instance: Change): Plan =>
  pairWith({
    instances: { d1: instance, d2: instance },
    topology: text => text.replace('10.0.0.0/24 }', '10.0.0.0/24, driver: bridge }'),
  })

/** Its service is one of datagrams, which the real servers answer. */
export const udpPlan = (services: Change, instance: Change = same): Plan =>
  pairWith({
    services: text => services(text).replace('protocol TCP', 'protocol UDP'),
    instances: { d1: instance, d2: instance },
    started: '#!/bin/sh -e\n/usr/lib/lvslab/echo 80 udp\n',
  })

/** With the VRRP instance of d2 alone changed. */
export const planWith = (services: Change, ofD2: Change = same, keepalived: KeepalivedRelease = OWN_KEEPALIVED): Plan =>
  pairWith({ services, instances: { d2: ofD2 }, keepalived })

export const scenarioNames = (plan: Plan): string[] => planScenarios(plan).map(scenario => scenario.name)

export const scenarioOf = (plan: Plan, name: string): Scenario => {
  const found = planScenarios(plan).find(scenario => scenario.name === name)
  if (!found) throw new Error(`no scenario ${name}`)
  return found
}
export const checkOf = ({ checks }: Scenario, check: string): PlannedCheck => {
  const found = checks.find(one => one.check === check)
  if (!found) throw new Error(`no check ${check} among ${checks.map(one => one.check).join(', ')}`)
  return found
}
/** What a scenario asks of a lab, call by call, where everything comes true. */
export const callsOf = async (plan: Plan, name: string): Promise<[string, ...unknown[]][]> => {
  const calls: [string, ...unknown[]][] = []
  const says =
    <T>(call: string, result: (...args: never[]) => T) =>
    async (...args: never[]): Promise<T> => {
      calls.push([call, ...args])
      return result(...args)
    }
  const probe = { stop: async () => {}, ended: async () => {} }
  const lab = {
    ...{ http: says('http', () => probe), udp: says('udp', () => probe) },
    inject: says('inject', () => says('heal', () => {})),
    addSources: says('addSources', (_client: string, { count }: { count: number }) => [`${count} more`]),
    now: () => Promise.resolve(0),
    exec: says('exec', () => {}),
    at: async (moment: number, step: () => Promise<unknown>) => {
      calls.push(['at', moment])
      await step()
    },
    ...{ snapshot: says('snapshot', () => {}), sleep: says('sleep', () => {}), until: says('until', () => true) },
  }
  await scenarioOf(plan, name).drive(lab as unknown as Lab)
  return calls
}

/** Why something is untested; undefined where it is not said to be. */
export const whyUntested = (plan: Plan, what: string): string | undefined => {
  planScenarios(plan)
  return plan.untested.find(one => one.what === what)?.why
}

export const SERVICE = '10.0.0.100:80/TCP'
export const persistent =
  (lines: string): Change =>
  text =>
    text.replace('protocol TCP', `protocol TCP\n${lines}`)
