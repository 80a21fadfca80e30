import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { KeepalivedRelease } from '../model/keepalived.ts'
import type { Bound } from '../model/types.ts'
import { withKeepalived } from '../topology/keepalived.ts'
import { loadTopology } from '../topology/load.ts'
import { planTopology, requirePredictions } from './plan.ts'
import { planScenarios } from './scenarios.ts'
import { planWith, scenarioNames } from './testing.ts'

const DR = path.resolve(import.meta.dirname, '../../topologies/keepalived-dr')

it('lists a file of another program that a director has beside its keepalived.conf', () => {
  const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
  try {
    cpSync(DR, parent, { recursive: true })
    writeFileSync(path.join(parent, 'd2/etc/ipvsadm.rules'), '-A -t 10.0.0.100:8080 -s rr\n')
    expect(planTopology(loadTopology(parent)).untested).toEqual([
      { what: '/etc/ipvsadm.rules of d2', why: 'it is beside a keepalived.conf, which alone is judged' },
    ])
  } finally {
    rmSync(parent, { recursive: true })
  }
})

it('says of an instance whose interface the node does not have that it is untested', () => {
  const plan = planWith(
    text => text,
    text => text.replace('interface eth0', 'interface eth7'),
  )
  expect(plan.untested).toContainEqual({ what: 'instance VI_1 of d2', why: 'd2 has no interface eth7' })
})

describe('the plan of the DR pair', () => {
  const plan = planTopology(loadTopology(DR))

  it('waits for the VIP on the MASTER, its pool, and every real server', () => {
    expect(plan.readiness.map(r => r.title)).toEqual([
      '10.0.0.100 is on d1 alone',
      'TCP 10.0.0.100:80 on d1 has rs1, rs2',
      'rs1 answers d1 on port 80',
      'rs2 answers d1 on port 80',
    ])
  })

  it('has a scenario for each promise, and leaves nothing untested', () => {
    expect(scenarioNames(plan)).toEqual([
      'configuration',
      'shares-10.0.0.100:80/TCP',
      'failover-stop-10.0.0.100',
      'failover-crash-10.0.0.100',
      'failover-link-eth0-10.0.0.100',
      'reload-d1',
      'server-10.0.0.100:80/TCP-rs1:80',
      'server-10.0.0.100:80/TCP-rs2:80',
      'sorry-10.0.0.100:80/TCP',
      'backup-d2',
    ])
    expect(plan.untested).toEqual([])
  })

  it('judges in a failover the way there, the way back, and what is on the wire', () => {
    const failover = planScenarios(plan).find(scenario => scenario.name === 'failover-stop-10.0.0.100')
    expect(failover?.checks.map(({ check }) => check)).toEqual([
      'failover-stop',
      'preemption-stop',
      'single-owner-stop',
      'garp-stop',
      'silent-backup-stop',
    ])
  })
})

describe('another keepalived', () => {
  const patient = (text: string): string =>
    text.replace(/HTTP_GET \{[^]*?delay_before_retry 1/, 'TCP_CHECK {\nretry 1\ndelay_before_retry 9')
  const upOf = (release: KeepalivedRelease): unknown => {
    const removal = planScenarios(planWith(patient, text => text, release)).find(
      ({ name }) => name.startsWith('server-') && name.includes('-rs1'),
    )
    return (removal?.checks[0]?.params as { upBound?: Bound } | undefined)?.upBound?.maxMs
  }

  it('has bounds of its own where its law is another', () => {
    expect([upOf('2.2'), upOf('2.3')]).toEqual([9000, 3000])
  })

  it('is said to have run, and what it reads otherwise is untested', () => {
    const of = planTopology(withKeepalived(loadTopology(DR), '2.2'))
    expect(of.untested).toEqual([
      {
        what: 'what keepalived 2.2.7, which d1, d2 run, reads otherwise than 2.3.3',
        why: 'predictions read a configuration as 2.3.3 does, and lint judges by 2.3.3',
      },
    ])
    expect(planTopology(loadTopology(DR)).untested).toEqual([])
  })
})

it.each([
  ['d2/etc/keepalivd/keepalived.conf', 'did you mean "keepalived"?'],
  ['rs1/etc/motd', 'is a symbolic link; only regular files'],
])('refuses %s before an engine is built', (name, message) => {
  const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
  try {
    cpSync(DR, parent, { recursive: true })
    const file = path.join(parent, name)
    if (name.startsWith('rs1')) mkdirSync(path.dirname(file), { recursive: true })
    if (name.startsWith('rs1')) symlinkSync('/etc/lvslab-is-not-here', file)
    else renameSync(path.join(parent, 'd2/etc/keepalived'), path.dirname(file))
    expect(() => planTopology(loadTopology(parent))).toThrow(message)
  } finally {
    rmSync(parent, { recursive: true })
  }
})

it('refuses a VIP that a director has on lo for good', () => {
  const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
  try {
    cpSync(DR, parent, { recursive: true })
    const file = path.join(parent, 'topology.yaml')
    const text = readFileSync(file, 'utf8').replace('  d2:\n', '  d2:\n    loopback: [10.0.0.100/32]\n')
    writeFileSync(file, text)
    expect(() => planTopology(loadTopology(parent))).toThrow('keepalived-dr gives d2 the VIP 10.0.0.100 for good')
  } finally {
    rmSync(parent, { recursive: true })
  }
})

describe('a service by firewall mark', () => {
  const FWMARK = path.resolve(import.meta.dirname, '../../topologies/keepalived-fwmark')
  const plan = planTopology(loadTopology(FWMARK))

  it('is driven at the port of the VIP that the packet filter marks', () => {
    expect(plan.services).toMatchObject([
      { table: 'FWM 50', url: 'http://10.0.0.100:80/', vip: { address: '10.0.0.100' } },
    ])
    expect(plan.readiness.map(r => r.title)).toEqual([
      '10.0.0.100 is on d1 alone',
      'FWM 50 on d1 has rs1, rs2',
      'rs1 answers d1 on port 80',
      'rs2 answers d1 on port 80',
    ])
    expect(scenarioNames(plan)).toContain('sorry-fwmark 50 10.0.0.100:80')
    expect(plan.untested).toEqual([
      {
        what: 'TCP port 443 of fwmark 50 at 10.0.0.100',
        why: 'one port of a mark is driven',
      },
    ])
  })

  it('is driven at each VIP that is marked with it, and every scenario has a name of its own', () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
    cpSync(FWMARK, dir, { recursive: true })
    const edit = (file: string, change: (text: string) => string): void =>
      writeFileSync(path.join(dir, file), change(readFileSync(path.join(dir, file), 'utf8')))
    edit('topology.yaml', text => text.replace(/^ *- -t mangle.*\n/m, rule => rule + rule.replace('.100', '.101')))
    for (const director of ['d1', 'd2'])
      edit(`${director}/etc/keepalived/conf.d/vip_nginx.conf`, text =>
        text.replace(/^( *10\.0\.0\.)100(.*\n)/m, '$1100$2$1101$2'),
      )
    const two = planTopology(loadTopology(dir))
    rmSync(dir, { recursive: true })
    expect(two.services.map(({ url }) => url)).toEqual(['http://10.0.0.100:80/', 'http://10.0.0.101:80/'])
    const names = scenarioNames(two)
    expect(names).toContain('sorry-fwmark 50 10.0.0.101:80')
    expect(new Set(names).size).toBe(names.length)
    expect(two.untested.map(({ what }) => what)).toEqual([
      'TCP port 443 of fwmark 50 at 10.0.0.100',
      'TCP port 443 of fwmark 50 at 10.0.0.101',
    ])
  })

  it('is listed once where nothing marks it', () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
    cpSync(FWMARK, dir, { recursive: true })
    const topology = loadTopology(dir)
    const nodes = topology.nodes.map(node => ({ ...node, iptables: [] }))
    const { services, untested } = planTopology({ ...topology, nodes })
    rmSync(dir, { recursive: true })
    expect(services).toEqual([])
    expect(untested).toEqual([
      { what: 'service fwmark 50', why: 'no rule that can be read marks connections to a VIP with 50' },
    ])
  })
})

describe('scenarios of one name', () => {
  it('are refused: the journal could not tell their labs apart', () => {
    const plan = planTopology(loadTopology(DR))
    const [service] = plan.services
    expect(() => planScenarios({ ...plan, services: service ? [service, service] : [] })).toThrow(
      expect.objectContaining({
        code: 'PLAN_SCENARIO_TWICE',
        message: expect.stringContaining('shares-10.0.0.100:80/TCP'),
      }),
    )
  })

  it('are not those of two real servers on one node', () => {
    const plan = planTopology(loadTopology(DR))
    for (const service of plan.services) for (const server of service.servers) server.node = 'rs1'
    expect(scenarioNames(plan).filter(name => name.startsWith('server-'))).toEqual([
      'server-10.0.0.100:80/TCP-rs1:80 (10.0.0.10)',
      'server-10.0.0.100:80/TCP-rs1:80 (10.0.0.20)',
    ])
  })
})

describe('what cannot be judged is listed as untested', () => {
  it.for([
    ['twos has no exact share', (text: string) => text.replace('lb_algo rr', 'lb_algo twos')],
    ['only HTTP is spoken', (text: string) => text.replaceAll(' 80 {', ' 443 {').replaceAll('HTTP_GET', 'SSL_GET')],
    ['its tunnel to 10.0.0.10 is of type gue', (text: string) => text.replace('DR', 'TUN type gue port 6080')],
    ['its weight is 0', (text: string) => text.replace('weight 1', 'weight 0')],
    [
      'nothing says that 10.0.0.10 answers datagrams to port 80 with its name; `/usr/lib/lvslab/echo 80 udp` on a line of its etc/rc.local does, which must be executable',
      (text: string) => text.replace('protocol TCP', 'protocol UDP'),
    ],
    [
      'only services of TCP and UDP with a port are driven',
      (text: string) => text.replace('protocol TCP', 'protocol SCTP'),
    ],
    [
      'services of a virtual_server_group',
      (text: string) =>
        `${text.replace('10.0.0.100 80 {', 'group WEB {')}\nvirtual_server_group WEB {\n10.0.0.0/16 80\n}`,
    ],
    [
      'its warmup is longer than its delay_loop',
      (text: string) => text.replaceAll('HTTP_GET {', 'HTTP_GET {\nwarmup 30'),
    ],
    ['no node of the topology has this address', (text: string) => text.replace('10.0.0.20', '10.0.0.99')],
    ['no node of the topology plays 10.0.0.99', (text: string) => text.replace('10.0.0.20', '10.0.0.99')],
    ['d2 is a director of 10.0.0.100 as well', (text: string) => text.replace('10.0.0.20', '10.0.0.201')],
    ['uthreshold leaves a real server out', (text: string) => text.replace('weight 1', 'weight 1\nuthreshold 10')],
    [
      'sets the weight (misc_dynamic)',
      (text: string) => text.replace('HTTP_GET {', 'MISC_CHECK {\nmisc_path "/bin/true"\nmisc_dynamic\n}\nHTTP_GET {'),
    ],
    ['no node of the topology has 10.0.0.60', (text: string) => text.replace('127.0.0.1 80', '10.0.0.60 80')],
    ['rs1 is a real server of the service as well', (text: string) => text.replace('127.0.0.1 80', '10.0.0.10 80')],
    [
      'interface_up_down_delays puts off when keepalived hears of it',
      (text: string) => `${text}\ninterface_up_down_delays {\neth0 1 20\n}`,
    ],
  ] as const)('%s', ([why, change]) => {
    const plan = planWith(change)
    planScenarios(plan)
    expect(plan.untested.map(u => u.why).join('\n')).toContain(why)
  })
})

it('masks a password in what it quotes of the configuration', () => {
  const whys = planWith(
    text => text.replace('weight 1', 'weight hunter2'),
    text => text.replace('1111', 'hunter2'),
  ).untested.map(({ why }) => why)
  expect(whys.join()).toContain('***')
  expect(whys.join()).not.toContain('hunter2')
})

describe('a topology without keepalived', () => {
  const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
  const dir = path.join(parent, 'keepalived-dr')
  cpSync(DR, dir, { recursive: true, filter: from => path.basename(from) !== 'keepalived' })
  const plan = planTopology(loadTopology(dir))
  rmSync(parent, { recursive: true })

  it('waits for its real servers, and says what nobody predicts', () => {
    expect(plan.readiness.map(r => r.title)).toEqual(['httpd runs on rs1', 'httpd runs on rs2'])
    expect(plan.untested.map(u => u.what)).toEqual(['d1', 'd2'])
  })

  it('has nothing that could be verified, which is told with a remedy', () => {
    expect(() => requirePredictions(plan)).toThrow(
      expect.objectContaining({
        code: 'PLAN_NO_CONFIG',
        message: 'no director of keepalived-dr (d1, d2) has a configuration from which anything is predicted',
        remedy: expect.stringContaining('etc/ipvsadm.rules into d1/'),
      }),
    )
    requirePredictions(planTopology(loadTopology(DR)))
  })

  it('is not one where the configuration is misplaced', () => {
    const copy = mkdtempSync(path.join(os.tmpdir(), 'lvslab-plan-'))
    cpSync(DR, path.join(copy, 'keepalived-dr'), { recursive: true, filter: from => !from.endsWith('keepalived.conf') })
    expect(() => planTopology(loadTopology(path.join(copy, 'keepalived-dr')))).toThrow(/no configuration file/)
    rmSync(copy, { recursive: true })
  })
})
