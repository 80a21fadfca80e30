import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Condition } from '../agent/protocol.ts'
import type { PlannedCheck } from '../judge/rules.ts'
import type { Lab } from '../lab/lab.ts'
import { loadTopology } from '../topology/load.ts'
import { type Plan, planTopology } from './plan.ts'
import { type Scenario, waitsTooLong } from './scenario.ts'
import { planScenarios } from './scenarios.ts'

const TOPOLOGIES = path.resolve(import.meta.dirname, '../../topologies')
const planOf = (name: string): Plan => planTopology(loadTopology(path.join(TOPOLOGIES, name)))

type Change = (text: string) => string
const same: Change = text => text

/** The plan of the DR pair with the services, and the VRRP instance, of both directors changed. */
const changedPlan = (changeServices: Change, changeInstance: Change = same): Plan => {
  const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-scenarios-'))
  const dir = path.join(parent, 'keepalived-dr')
  cpSync(path.join(TOPOLOGIES, 'keepalived-dr'), dir, { recursive: true })
  for (const director of ['d1', 'd2']) {
    for (const [name, change] of Object.entries({ lvs_nginx: changeServices, vip_nginx: changeInstance })) {
      const file = path.join(dir, director, `etc/keepalived/conf.d/${name}.conf`)
      writeFileSync(file, change(readFileSync(file, 'utf8')))
    }
  }
  try {
    return planTopology(loadTopology(dir))
  } finally {
    rmSync(parent, { recursive: true })
  }
}

const scenarioOf = (plan: Plan, name: string): Scenario => {
  const found = planScenarios(plan).find(scenario => scenario.name === name)
  if (!found) throw new Error(`no scenario ${name}`)
  return found
}
const checkOf = ({ checks }: Scenario, check: string): PlannedCheck => {
  const found = checks.find(one => one.check === check)
  if (!found) throw new Error(`no check ${check} among ${checks.map(one => one.check).join(', ')}`)
  return found
}
/** Why something is untested; undefined where it is not said to be. */
const whyUntested = (plan: Plan, what: string): string | undefined => {
  planScenarios(plan)
  return plan.untested.find(one => one.what === what)?.why
}

const SERVICE = '10.0.0.100:80/TCP'
const persistent =
  (lines: string): Change =>
  text =>
    text.replace('protocol TCP', `protocol TCP\n${lines}`)

describe('a persistent service', () => {
  const plan = changedPlan(persistent('persistence_timeout 300'))

  it('keeps its clients, shares new ones out, and lets them go', () => {
    const sticks = scenarioOf(plan, `persistence-${SERVICE}`)
    expect(checkOf(sticks, `persistence-${SERVICE}`)).toMatchObject({
      title: `${SERVICE} sends a client to the same real server when it comes again`,
      params: { timeoutMs: 300_000 },
    })
    expect(checkOf(sticks, `newcomers-${SERVICE}`).params).toMatchObject({ expected: { shares: { rs1: 1, rs2: 1 } } })
    const release = scenarioOf(plan, `release-${SERVICE}`)
    expect(checkOf(release, `stays-${SERVICE}`).title).toBe(
      `${SERVICE} sends a client to the same real server when it comes again 48 s later`,
    )
    expect(checkOf(release, `release-${SERVICE}`)).toMatchObject({
      title: `${SERVICE} lets go of a client when its last connection is 300 s to 337.5 s ago`,
      params: { bound: { minMs: 300_000, maxMs: 337_500 }, templates: { node: 'd1', command: 'ipvsadm -Lnc' } },
    })
    expect(planScenarios(plan).map(({ name }) => name)).not.toContain(`shares-${SERVICE}`)
  })

  it('is released last of all, on the virtual clock alone', () => {
    expect(planScenarios(plan).at(-1)?.name).toBe(`release-${SERVICE}`)
    const release = scenarioOf(plan, `release-${SERVICE}`)
    expect(release.waitsMs).toBe(48_000 + 337_500)
    expect(waitsTooLong(release, 'virtual')).toBeUndefined()
    for (const clock of ['real', undefined])
      expect(waitsTooLong(release, clock)).toBe(
        'it waits for 385.5 s in which nothing happens: only the virtual clock leaps over them',
      )
    expect(waitsTooLong({ ...release, waitsMs: 120_000 }, 'real')).toBeUndefined()
    expect(waitsTooLong(scenarioOf(plan, `persistence-${SERVICE}`), 'real')).toBeUndefined()
  })

  it('with a mask has one client for each network', () => {
    const masked = changedPlan(persistent('persistence_timeout 50\npersistence_granularity 255.255.255.240'))
    const sticks = scenarioOf(masked, `persistence-${SERVICE}`)
    expect(checkOf(sticks, `persistence-${SERVICE}`)).toMatchObject({
      title: `${SERVICE} sends whoever is of one /28 network to the same real server when it comes again`,
      params: { prefix: 28 },
    })
    expect(checkOf(scenarioOf(masked, `release-${SERVICE}`), `release-${SERVICE}`).params).toMatchObject({ prefix: 28 })
    expect(sticks.checks).toHaveLength(1)
    const each = changedPlan(persistent('persistence_timeout 50\npersistence_granularity 255.255.255.255'))
    expect(scenarioOf(each, `persistence-${SERVICE}`).checks).toHaveLength(2)
    expect(whyUntested(masked, `shares of the new clients of ${SERVICE}`)).toBe(
      'the clients of one network count as one',
    )
  })

  it('says what is not judged: other schedulers, a single server', () => {
    const wlc = changedPlan(text => persistent('persistence_timeout 50')(text).replace('lb_algo rr', 'lb_algo wlc'))
    expect(whyUntested(wlc, `shares of the new clients of ${SERVICE}`)).toBe('wlc has no exact share')
    const single = changedPlan(text => persistent('persistence_timeout 50')(text).replace('weight 1', 'weight 0'))
    expect(whyUntested(single, `persistence of ${SERVICE}`)).toBe('all clients have the one real server')
  })
})

describe('a reload, and a backup that is lost', () => {
  const plan = planOf('keepalived-dr')

  it('leave the VIP, its pool and its clients alone, for as long as it might take to move', () => {
    const [reload] = scenarioOf(plan, 'reload-d1').checks
    expect(reload).toMatchObject({
      title:
        'd1 reloads its configuration, and the VIP 10.0.0.100 stays on d1, its pool is what it was, no request fails',
      params: {
        ...{ fault: 'keepalived-reload', node: 'd1', owner: 'd1', services: ['TCP 10.0.0.100:80'] },
        ...{ probe: 'clients of 10.0.0.100', watchBound: { maxMs: 3687.5 } },
      },
    })
    const backup = scenarioOf(plan, 'backup-d2').checks
    expect(backup.map(({ check, params }) => [check, params])).toMatchObject([
      // d2 begins anew, and would be MASTER so long after that
      [
        'backup-stop-d2-10.0.0.100',
        { fault: 'keepalived-stop', node: 'd2', owner: 'd1', watchBound: { maxMs: 3687.5 } },
      ],
      ['backup-crash-d2-10.0.0.100', { fault: 'keepalived-crash', node: 'd2', owner: 'd1' }],
    ])
  })

  it('are not judged where nobody knows who is MASTER', () => {
    const stay = changedPlan(same, text => text.replace('state MASTER', 'state BACKUP\nnopreempt'))
    expect(planScenarios(stay).map(({ name }) => name)).not.toContain('reload-d1')
    expect(whyUntested(stay, 'd1 reloads its configuration, and 10.0.0.100 stays where it is')).toBe(
      'd1 has nopreempt: who is MASTER is whoever comes first',
    )
  })

  it('of several VIPs have a check for each', () => {
    const two = scenarioOf(planOf('keepalived-two-pools'), 'backup-d2')
    expect(two.checks.map(({ params }) => (params as { vip: string }).vip)).toEqual([
      ...['10.0.1.100', '10.0.1.200'],
      ...['10.0.1.100', '10.0.1.200'],
    ])
  })
})

describe('the loss of a link', () => {
  it('takes the VIP to the backup, and back without a startup delay', () => {
    const { checks } = scenarioOf(planOf('keepalived-dr'), 'failover-link-eth0-10.0.0.100')
    expect(checks.map(({ check }) => check)).toEqual(
      ['failover', 'preemption', 'single-owner', 'garp', 'silent-backup'].map(kind => `${kind}-link-eth0`),
    )
    expect(checks[0]).toMatchObject({
      title: 'd2 takes over the VIP 10.0.0.100 after the loss of link eth0 of d1',
      params: { fault: 'link-down', bound: { minMs: 2687.5, maxMs: 3687.5 } },
    })
    expect(checks[1]).toMatchObject({
      title: 'd1 takes the VIP 10.0.0.100 back when the link returns after the loss of link eth0',
      // its checks have found the real servers behind the link dead
      params: { bound: { maxMs: 3609.375 }, gapBound: { maxMs: 7000 } },
    })
  })

  it('is tried of the link that the adverts pass, and of that of the VIP', () => {
    const names = planScenarios(planOf('keepalived-preempt')).map(({ name }) => name)
    expect(names.filter(name => name.endsWith('10.0.0.103') && name.includes('link'))).toEqual([
      'failover-link-eth1-10.0.0.103',
      'failover-link-eth0-10.0.0.103',
    ])
    const plan = planOf('keepalived-preempt')
    const [silent, goodbye] = ['eth1', 'eth0'].map(device =>
      checkOf(scenarioOf(plan, `failover-link-${device}-10.0.0.103`), `failover-link-${device}`),
    )
    expect(silent?.params).toMatchObject({ bound: { minMs: 2687.5 } })
    // the adverts have another way: it says goodbye
    expect(goodbye?.params).toMatchObject({ bound: { maxMs: 687.5 } })
  })

  it('takes the others of a sync group along, and the servers on another link are found alive', () => {
    const { checks } = scenarioOf(planOf('keepalived-nat-pair'), 'failover-link-eth0-203.0.113.100')
    const params = checks.map(check => check.params as { bound: { formula: string }; gapBound?: { maxMs: number } })
    expect(params[0]?.bound.formula).toMatch(/^the last of: /)
    expect(params[1]?.gapBound?.maxMs).toBe(200)
  })

  it('is called by the link, also where another of its sync group is first, which leaves with a goodbye', () => {
    const links = planScenarios(planOf('keepalived-nat-pair')).filter(({ name }) => name.startsWith('failover-link'))
    const moves = links.flatMap(({ checks }) => checks.filter(({ rule }) => rule === 'failover'))
    const names = moves.map(({ params }) => (params as { bound: { name: string } }).bound.name)
    expect(names.toSorted()).toEqual(
      ['eth0', 'eth1'].map(device => `VIP failover after ${device} of the master went down`),
    )
  })

  it('is not judged where the instance does not care for its link', () => {
    const careless = changedPlan(same, text => text.replace('advert_int 1', 'advert_int 1\ndont_track_primary'))
    expect(whyUntested(careless, 'failover of 10.0.0.100 after the loss of link eth0 of d1')).toBe(
      'VI_1 on d1 does not care for it',
    )
  })
})

describe('a service with alpha', () => {
  const alpha = (text: string): string => persistent('alpha\nwarmup 10')(text)
  const withoutSorry: Change = text => alpha(text).replace(/sorry_server.*\n/, '')
  const gapsOf = (plan: Plan) =>
    ['stop', 'crash'].map(id => {
      const { params } = checkOf(scenarioOf(plan, `failover-${id}-10.0.0.100`), `preemption-${id}`)
      return (params as { gapBound?: { maxMs: number } }).gapBound?.maxMs
    })

  it('has no server when its MASTER is back, until a first check has passed', () => {
    // bootstrap 1 s + warmup 10 s, less 3.61 s
    expect(gapsOf(changedPlan(withoutSorry))).toEqual([7390.625, 7390.625])
    expect(gapsOf(changedPlan(alpha))).toEqual([1000, 1000])
    const slow: Change = text => text.replace('state MASTER', 'state BACKUP\npreempt_delay 8')
    expect(gapsOf(changedPlan(withoutSorry, slow))[0]).toBe(1000)
  })

  it('is said to be unknown where no bound is known for it', () => {
    const unknown = changedPlan(text =>
      withoutSorry(text).replace(/HTTP_GET \{.*?url \{.*?\}.*?\}/gs, 'FILE_CHECK {\n}'),
    )
    expect(gapsOf(unknown)).toEqual([undefined, undefined])
    expect(
      whyUntested(unknown, `what clients of ${SERVICE} miss when d1 takes 10.0.0.100 back after a clean stop`),
    ).toBe('no bound is known for the first health checks of its real servers (alpha)')
  })

  it('is asked until its pool is whole again, when the MASTER is back', async () => {
    const waitedFor = async (plan: Plan): Promise<string[]> => {
      const kinds: string[] = []
      const nothing = async (): Promise<void> => {}
      const lab = {
        http: async () => ({ stop: nothing }),
        inject: async () => nothing,
        sleep: async () => 0,
        until: async ({ kind }: Condition) => kinds.push(kind) > 0,
      }
      await scenarioOf(plan, 'failover-stop-10.0.0.100').drive(lab as unknown as Lab)
      return kinds
    }
    expect(await waitedFor(changedPlan(withoutSorry))).toEqual(['owner', 'owner', 'pool'])
    expect(await waitedFor(changedPlan(same))).toEqual(['owner', 'owner'])
  })

  it('is waited for on each director before a lab is ready', () => {
    const pools = (plan: Plan) =>
      plan.readiness
        .filter(({ condition }) => condition.kind === 'pool')
        .map(({ title, deadlineMs }) => `${title} ${deadlineMs}`)
    expect(pools(changedPlan(withoutSorry))).toEqual([
      'TCP 10.0.0.100:80 on d1 has rs1, rs2 26000',
      'TCP 10.0.0.100:80 on d2 has rs1, rs2 26000',
    ])
    expect(pools(changedPlan(same))).toEqual(['TCP 10.0.0.100:80 on d1 has rs1, rs2 15000'])
  })
})

describe('a VIP of virtual_ipaddress_excluded', () => {
  const plan = changedPlan(same, text =>
    text.replace(
      /virtual_ipaddress \{(.*?)\}/s,
      'virtual_ipaddress {\n10.0.0.99/24\n}\nvirtual_ipaddress_excluded {$1}',
    ),
  )

  it('is driven, and has its service', () => {
    expect(plan.vips.map(({ address }) => address)).toEqual(['10.0.0.99', '10.0.0.100'])
    expect(plan.services.map(({ url }) => url)).toEqual(['http://10.0.0.100:80/'])
    expect(plan.untested).toEqual([])
  })

  it('is moved with the others of its instance, which serve nobody, in one lab', () => {
    const names = planScenarios(plan).map(({ name }) => name)
    expect(names.filter(name => name.startsWith('failover'))).toEqual([
      'failover-stop-10.0.0.100',
      'failover-crash-10.0.0.100',
      'failover-link-eth0-10.0.0.100',
    ])
    const { checks } = scenarioOf(plan, 'failover-stop-10.0.0.100')
    expect(checks.slice(-3).map(({ check, title }) => `${check}: ${title}`)).toEqual([
      'failover-stop-10.0.0.99: d2 takes over the VIP 10.0.0.99 after a clean stop of keepalived on d1',
      'preemption-stop-10.0.0.99: d1 takes the VIP 10.0.0.99 back when keepalived returns after a clean stop',
      'single-owner-stop-10.0.0.99: one live director holds the VIP 10.0.0.99, and only one, around a clean stop',
    ])
  })

  it('has a lab of its own where it serves somebody', () => {
    const names = planScenarios(planOf('keepalived-two-pools')).map(({ name }) => name)
    expect(names.filter(name => name.startsWith('failover-stop'))).toEqual([
      'failover-stop-10.0.1.100',
      'failover-stop-10.0.1.200',
    ])
  })
})

describe('a quorum', () => {
  const stepsOf = (plan: Plan) => {
    const [check] = scenarioOf(plan, `quorum-${SERVICE}`).checks
    if (check?.rule !== 'quorum') throw new Error('no check of the quorum')
    return check.params.steps
  }
  it('is lost with the server that it does not bear, and gained with that', () => {
    expect(stepsOf(changedPlan(persistent('quorum 2')))).toEqual([
      {
        ...{ phase: 'inject', nodes: ['rs1'], quorum: 'Lost' },
        ...{ destinations: ['127.0.0.1:80'], answers: ['d1', 'd2'] },
      },
      {
        ...{ phase: 'heal', nodes: ['rs1'], quorum: 'Gained' },
        ...{ destinations: ['10.0.0.10:80', '10.0.0.20:80'], answers: ['rs1', 'rs2'] },
      },
    ])
  })

  it('without a sorry server leaves those in the pool that are alive', () => {
    const plan = changedPlan(text => persistent('quorum 2')(text).replace(/sorry_server.*\n/, ''))
    expect(stepsOf(plan)[0]).toMatchObject({ destinations: ['10.0.0.20:80'], answers: ['rs2'], quorum: 'Lost' })
  })

  it('with hysteresis is lost later, and gained when all are back', () => {
    const weights: Change = text => persistent('quorum 3\nhysteresis 1')(text.replaceAll('weight 1', 'weight 2'))
    expect(stepsOf(changedPlan(weights)).map(({ quorum = 'same' }) => quorum)).toEqual([
      'same',
      'Lost',
      'same',
      'Gained',
    ])
  })

  describe('of a virtual_server_group', () => {
    const group: Change = text =>
      `${persistent('quorum 2')(text).replace('10.0.0.100 80 {', 'group WEB {')}\nvirtual_server_group WEB {\n10.0.0.100 80\n}\n`

    it("is found in keepalived's log by the name of the group", () => {
      expect(checkOf(scenarioOf(changedPlan(group), `quorum-${SERVICE}`), `quorum-${SERVICE}`).params).toMatchObject({
        group: 'WEB',
      })
    })

    it('is not judged where a service of another protocol has the same name in the log', () => {
      const udp = 'virtual_server group WEB {\nprotocol UDP\nlvs_method DR\nreal_server 10.0.0.10 53 {\n}\n}\n'
      expect(
        whyUntested(
          changedPlan(text => group(text) + udp),
          `quorum 2 of ${SERVICE}`,
        ),
      ).toContain('group WEB alike')
    })
  })

  it('is not judged where there is none, or a check is not known', () => {
    expect(planScenarios(planOf('keepalived-dr')).map(({ name }) => name)).not.toContain(`quorum-${SERVICE}`)
    const unknown = changedPlan(text => persistent('quorum 2')(text).replace(/HTTP_GET \{.*?url \{.*?\}.*?\}/s, ''))
    expect(whyUntested(unknown, `quorum 2 of ${SERVICE}`)).toContain('no bound is known')
  })

  it('is not judged where it is never reached', () => {
    // of the weights 1 and 9, no node plays the 9
    const heavy: Change = text =>
      persistent('quorum 2')(text).replace(/10\.0\.0\.20 80 \{\s+weight 1/, '10.0.0.30 80 {\nweight 9')
    expect(whyUntested(changedPlan(heavy), `quorum 2 of ${SERVICE}`)).toBe(
      'the nodes of the topology play too few of its real servers to reach it',
    )
  })
})
