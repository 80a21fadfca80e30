import { describe, expect, it } from 'vitest'
import type { Condition } from '../agent/protocol.ts'
import { historyOf } from '../history/history.ts'
import { AT_ONCE } from '../judge/garp.ts'
import { withScheduling } from '../judge/limit.ts'
import type { Plan } from './plan.ts'
import { paced, SLACK_MS } from './scenario.ts'
import type { RemovalBounds } from './scenarios/removable.ts'
import { planScenarios } from './scenarios.ts'
import {
  callsOf,
  type Change,
  changedPlan,
  checkOf,
  persistent,
  planOf,
  SERVICE,
  same,
  scenarioOf,
  whyUntested,
} from './testing.ts'

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

  it('is tried of a link that is tracked, whatever it is tracked with', () => {
    const tracking = (weight: number) => {
      const plan = planOf('keepalived-preempt')
      const [d1, d2] = plan.configs.map(({ instances }) => instances.find(one => one.name === 'VI_PREEMPT'))
      for (const one of [d1, d2]) one?.trackInterfaces.push({ interface: 'eth1', weight, reverse: false, at: one.at })
      return plan
    }
    const of = (weight: number, check: string) =>
      checkOf(scenarioOf(tracking(weight), 'failover-link-eth1-10.0.0.100'), check).params
    expect(of(0, 'failover-link-eth1')).toMatchObject({ bound: { maxMs: 687.5 } })
    expect(of(-30, 'failover-link-eth1')).toMatchObject({ bound: { minMs: 2687.5, maxMs: 3687.5 } })
    expect(of(-30, 'single-owner-link-eth1')).toMatchObject({ noneBound: { maxMs: 0 } })
    const routed = tracking(-30)
    const [d1] = routed.configs.map(({ instances }) => instances.find(one => one.name === 'VI_PREEMPT'))
    if (d1) d1.virtualRoutes = [{ words: ['10.9.0.0/16', 'dev', 'eth1'], at: d1.at }]
    expect(whyUntested(routed, 'failover of 10.0.0.100 after the loss of link eth1 of d1')).toBe(
      'virtual_routes or virtual_rules of VI_PREEMPT name it too, which is not predicted',
    )
    expect(whyUntested(tracking(-10), 'failover of 10.0.0.100 after the loss of link eth1 of d1')).toBe(
      'the VIP stays: d1 has priority 90 then, and d2 80',
    )
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

describe('the services of a backup', () => {
  it('are to be those of the MASTER: its table is looked at', () => {
    const plan = planOf('keepalived-dr')
    expect(checkOf(scenarioOf(plan, 'configuration'), 'table-d2')).toMatchObject({
      title: 'd2 has the services that it takes over from d1, and their real servers',
      rule: 'table',
      params: {
        ...{ director: 'd2', of: 'd1' },
        services: [
          { service: 'TCP 10.0.0.100:80', destinations: [{ address: '10.0.0.10' }, { address: '10.0.0.20' }] },
        ],
      },
    })
    expect(scenarioOf(plan, 'configuration').checks.map(({ check }) => check)).not.toContain('table-d1')
  })

  it.each([
    ['PING_CHECK {\n}', 'a ping does not see that its httpd crashes: the machine still answers'],
    [
      'MISC_CHECK {\nmisc_path /bin/true\n}',
      'what makes the script of MISC_CHECK fail is not known here: a suite has to break it',
    ],
  ])('do not have a httpd crash seen by %j', (check, why) => {
    const plan = changedPlan(text =>
      text.replaceAll(/HTTP_GET \{.*?url \{.*?\}.*?\}/gs, check).replaceAll('protocol TCP', 'protocol TCP\nquorum 2'),
    )
    expect(whyUntested(plan, `removal and return of rs1 (${SERVICE})`)).toBe(why)
    expect(whyUntested(plan, `sorry server of ${SERVICE}`)).toBe(why)
    expect(whyUntested(plan, `quorum 2 of ${SERVICE}`)).toBe(why)
  })

  it('count a script for the return alone where another check sees the crash', () => {
    const misc = 'MISC_CHECK {\nmisc_path /bin/true\nmisc_timeout 1\n}\nTCP_CHECK {\nretry 3\n}\n'
    const plan = changedPlan(text => text.replaceAll(/HTTP_GET \{.*?url \{.*?\}.*?\}/gs, misc))
    const { downBound, upBound } = checkOf(scenarioOf(plan, `server-${SERVICE}-rs1:80`), `server-${SERVICE}-rs1:80`)
      .params as RemovalBounds
    expect([downBound.source, upBound.source]).toEqual([
      'keepalived check_tcp.c tcp_epilog',
      'keepalived check_misc.c misc_check_child_thread',
    ])
  })

  it('have the servers whose weights their checks set, without a weight', () => {
    const check = 'MISC_CHECK {\nmisc_path "/bin/true"\nmisc_dynamic\n}\nHTTP_GET {'
    const plan = changedPlan(text => text.replace('HTTP_GET {', check))
    const { params } = checkOf(scenarioOf(plan, 'configuration'), 'table-d2')
    expect((params as { services: { destinations: object[] }[] }).services[0]?.destinations).toEqual([
      { address: '10.0.0.10', port: 80, forwarding: 'Route' },
      { address: '10.0.0.20', port: 80, forwarding: 'Route', weight: 1 },
    ])
  })

  it('are told apart where a director backs two MASTERs up', () => {
    const plan = planOf('keepalived-dr')
    const [vip] = plan.vips
    const [first, second] = vip?.members ?? []
    const [service] = plan.services
    if (!vip || !first || !second || !service) throw new Error('no pair')
    plan.services.push({ ...service, name: 'other', vip: { ...vip, members: [{ ...first, node: 'd3' }, second] } })
    const names = scenarioOf(plan, 'configuration').checks.map(({ check }) => check)
    expect(names.filter(name => name.startsWith('table'))).toEqual(['table-d2-d1', 'table-d2-d3'])
  })
})

it('asks by HTTPS less often, and allows a gap as long as its steps', () => {
  const stepOf = (url: string): unknown => {
    const plan = planOf('keepalived-dr')
    plan.services = plan.services.map(one => ({ ...one, url }))
    return checkOf(scenarioOf(plan, 'failover-stop-10.0.0.100'), 'failover-stop').params
  }
  expect(stepOf('http://10.0.0.100/')).toMatchObject({ watch: { stepMs: 50 } })
  expect(stepOf('https://10.0.0.100/')).toMatchObject({ watch: { stepMs: 200 } })
  expect(paced({ url: 'https://10.0.0.100/' }, 2)).toBe(2)
})

it('hears adverts of the family of the VIP', () => {
  const check = checkOf(scenarioOf(planOf('keepalived-dr'), 'failover-stop-10.0.0.100'), 'silent-backup-stop')
  expect(check.params).toMatchObject({ vrid: 50, family: 4 })
})

it('a sorry server is untested where nothing says that it speaks what clients speak', () => {
  const plan = planOf('keepalived-dr')
  plan.services = plan.services.map(one => ({ ...one, port: 443, url: 'https://10.0.0.100:443/' }))
  expect(whyUntested(plan, `sorry server of ${SERVICE}`)).toBe('nothing says that d1 or d2 speaks https on port 443')
})

describe('a sorry server on a host of its own', () => {
  it('is that host, for the wait and for the judge', () => {
    const plan = planOf('keepalived-fwmark')
    const [scenario] = planScenarios(plan).filter(({ name }) => name.startsWith('sorry-'))
    expect(scenario?.checks[0]?.params).toMatchObject({ pages: ['d1', 'd2'] })
    const elsewhere = changedPlan(text => text.replace('127.0.0.1 80', '10.0.0.50 80'))
    expect(checkOf(scenarioOf(elsewhere, `sorry-${SERVICE}`), `sorry-${SERVICE}`).params).toMatchObject({
      pages: ['c1'],
    })
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

  /** What the drive waits for: kinds of conditions, and ms. */
  const waits = async (plan: Plan): Promise<(string | number)[]> =>
    (await callsOf(plan, 'failover-stop-10.0.0.100')).flatMap(([call, what]): (string | number)[] =>
      call === 'sleep' ? [what as number] : call === 'until' ? [(what as Condition).kind] : [],
    )

  it('is asked until its pool is whole again, when the MASTER is back', async () => {
    const kinds = async (plan: Plan) => (await waits(plan)).filter(wait => typeof wait === 'string')
    expect(await kinds(changedPlan(withoutSorry))).toEqual(['owner', 'owner', 'pool'])
    expect(await kinds(changedPlan(same))).toEqual(['owner', 'owner'])
  })

  it('is watched until the MASTER that is back must have announced it, on a slow machine too', async () => {
    const slow = historyOf([{ kind: 'machine', t: 0, processor: 'emulated', clock: 'real' }])
    const last = (await waits(changedPlan(same))).at(-1)
    expect(last).toBeGreaterThan(withScheduling(slow, AT_ONCE, SLACK_MS).maxMs)
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
