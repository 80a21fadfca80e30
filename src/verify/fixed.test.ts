import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { loadTopology } from '../topology/load.ts'
import { type Plan, planTopology, requirePredictions } from './plan.ts'
import { promisesOf } from './promises.ts'
import { planScenarios } from './scenarios.ts'

const TOPOLOGIES = path.resolve(import.meta.dirname, '../../topologies')
const planOf = (name: string): Plan => planTopology(loadTopology(path.join(TOPOLOGIES, name)))

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const TOPOLOGY = `name: fixed
networks: { lan: { subnet: 10.0.0.0/24 } }
nodes:
  c1: { role: client, interfaces: { eth0: { network: lan, address: 10.0.0.50 } } }
  d1: { role: director, interfaces: { eth0: { network: lan, address: 10.0.0.2 } }, loopback: [10.0.0.100/32] }
  rs1: { role: realserver, interfaces: { eth0: { network: lan, address: 10.0.0.11 } } }
  rs2: { role: realserver, interfaces: { eth0: { network: lan, address: 10.0.0.12 } } }
`
const SECTION = 'virtual=10.0.0.100:80\n\treal=10.0.0.11:80 gate\n\treal=10.0.0.12:80 gate\n'

/** The plan of d1 with these files, by their paths on it. */
const planWith = (files: Record<string, string>, topology = TOPOLOGY): Plan => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-fixed-'))
  folders.push(dir)
  writeFileSync(path.join(dir, 'topology.yaml'), topology)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, 'd1', name)), { recursive: true })
    writeFileSync(path.join(dir, 'd1', name), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
  }
  return planTopology(loadTopology(dir))
}
const withLdirectord = (text: string): Plan => planWith({ 'etc/ha.d/ldirectord.cf': text })
const TWICE = `${SECTION}\treal=10.0.0.12:80 gate`
const untestedOf = (plan: Plan): string[] => {
  planScenarios(plan)
  return plan.untested.map(({ what, why }) => `${what}: ${why}`)
}

describe('a real server that stands twice in a section', () => {
  it('is in the table once', () => {
    const plan = withLdirectord(`${TWICE}\n\tchecktype=connect\n`)
    expect(planScenarios(plan).map(({ name }) => name)).toContain('server-10.0.0.100:80/TCP-rs2:80')
    expect(plan.fixed[0]?.servers.map(({ name }) => name)).toEqual(['rs1', 'rs2'])
    expect(plan.untested[0]).toMatchObject({
      why: '10.0.0.12 port 80 stands twice in the section; the table has it once',
    })
  })

  it('is not judged where the two differ', () => {
    expect(untestedOf(withLdirectord(`${TWICE} 5\n`))).toContain(
      'service 10.0.0.100:80/TCP: 10.0.0.12:80 stands twice in its section, and which of the two counts is not known',
    )
  })
})

describe('a director with a saved table', () => {
  const plan = planOf('ipvsadm-tun')

  it('is waited for, until the table is restored', () => {
    expect(plan.readiness[0]?.title).toBe('TCP 172.25.12.100:80 on d1 has its 2 real servers')
    expect(plan.readiness[0]?.condition).toEqual({
      ...{ kind: 'pool', node: 'd1', service: 'TCP 172.25.12.100:80' },
      destinations: ['172.25.12.2:80', '172.25.12.3:80'],
    })
    requirePredictions(plan)
  })

  it('has its table and its shares judged, and nothing that somebody would have to notice', () => {
    const checks = planScenarios(plan).flatMap(scenario => scenario.checks)
    expect(checks.map(check => check.check)).toEqual(['shares-172.25.12.100:80/TCP', 'table-d1'])
    expect(checks[1]?.params).toEqual({
      director: 'd1',
      services: [
        {
          ...{ service: 'TCP 172.25.12.100:80', scheduler: 'rr', persistent: false },
          destinations: [
            { address: '172.25.12.2', port: 80, weight: 1, forwarding: 'Tunnel' },
            { address: '172.25.12.3', port: 80, weight: 1, forwarding: 'Tunnel' },
          ],
        },
      ],
    })
    expect(plan.untested.map(({ what }) => what)).toEqual([
      'failover of 172.25.12.100',
      'removal and return of rs1 (172.25.12.100:80/TCP)',
      'removal and return of rs2 (172.25.12.100:80/TCP)',
    ])
    expect(promisesOf(plan).vips).toEqual(['172.25.12.100: d1, without VRRP'])
  })
})

describe('a director with ldirectord', () => {
  it('has the removal and return of each server, and the fallback, judged by its timing', () => {
    const scenarios = planScenarios(planOf('ldirectord-dr'))
    expect(scenarios.map(scenario => scenario.name)).toEqual([
      'shares-10.0.0.100:80/TCP',
      'table-d1',
      'server-10.0.0.100:80/TCP-rs1:80',
      'server-10.0.0.100:80/TCP-rs2:80',
      'fallback-10.0.0.100:80/TCP',
    ])
    expect(scenarios[2]?.checks[0]).toMatchObject({
      rule: 'pool',
      params: { downBound: { maxMs: 1100 }, upBound: { maxMs: 1100 }, inhibit: false, directors: ['d1'] },
    })
    // one request is sent each 50 ms, and the other server is checked first
    expect(scenarios[4]?.checks[0]).toMatchObject({
      rule: 'sorry',
      params: { bound: { minMs: 0, maxMs: 1150 }, endsBound: { maxMs: 1150 } },
    })
  })

  it('expects a quiescent server to stay in the table', () => {
    const [, , lost] = planScenarios(withLdirectord(`quiescent=yes\n${SECTION}`))
    expect(lost?.checks[0]?.params).toMatchObject({ inhibit: true, downBound: { maxMs: 10_100 } })
  })

  it('has shares of datagrams alone: what ldirectord sees of them is not predicted', () => {
    const script = '#!/bin/sh -e\n/usr/lib/lvslab/echo 514 udp\n'
    const text = `virtual=10.0.0.100:514\n\treal=10.0.0.11:514 gate\n\treal=10.0.0.12:514 gate\n\tprotocol=udp\n\tscheduler=rr\n\tchecktype=connect\n\tfallback=127.0.0.1:514\n`
    const plan = planWith({
      'etc/ha.d/ldirectord.cf': text,
      '../rs1/etc/rc.local': script,
      '../rs2/etc/rc.local': script,
    })
    expect(planScenarios(plan).map(({ name }) => name)).toEqual(['shares-10.0.0.100:514/UDP', 'table-d1'])
    const why = 'whether ldirectord sees that what answers by UDP is gone is not predicted'
    expect(untestedOf(plan)).toEqual(
      expect.arrayContaining([
        `removal and return of rs1 (10.0.0.100:514/UDP): ${why}`,
        `fallback of 10.0.0.100:514/UDP: ${why}`,
      ]),
    )
  })

  it('counts the servers that are checked one after the other', () => {
    const two = `${SECTION}\n${SECTION.replaceAll(':80', ':8080')}`
    expect(withLdirectord(two).fixed.map(one => one.others)).toEqual([3, 3])
    expect(withLdirectord(`fork=yes\n${two}`).fixed.map(one => one.others)).toEqual([1, 1])
  })

  it.each([
    [
      'removal and return of rs1 (10.0.0.100:80/TCP): checktype ping does not see that what serves it is gone',
      '\tchecktype=ping\n',
    ],
    [
      'removal and return of rs2 (10.0.0.100:80/TCP): nothing is predicted of checktype external',
      '\tchecktype=external\n',
    ],
    ['removal and return of rs1 (10.0.0.100:80/TCP): with service none ldirectord checks nobody', '\tservice=none\n'],
    [
      'fallback of 10.0.0.100:80/TCP: it is 10.0.0.9, and only what the director itself answers',
      '\tfallback=10.0.0.9:80\n',
    ],
    ['removal and return of rs1 (10.0.0.100:80/TCP): its weight is 0', SECTION.replace('gate', 'gate 0')],
  ])('says what is untested: %s', (what, lines) => {
    const text = lines.startsWith('virtual') ? lines : SECTION + lines
    expect(untestedOf(withLdirectord(text)).join('\n')).toContain(what)
  })

  it.each([
    ['service 10.0.0.101:80/TCP: d1 does not have 10.0.0.101 in topology.yaml', SECTION.replace('.100', '.101')],
    [
      'service 10.0.0.100:80/TCP: no node of the topology has the address of its real server 10.0.0.13',
      SECTION.replace('.12', '.13'),
    ],
    ['service 10.0.0.100:25/TCP: only HTTP is spoken', SECTION.replaceAll(':80', ':25')],
    ['service fwmark 7: no rule that can be read marks connections with 7', SECTION.replace('10.0.0.100:80', '7')],
    ['(d1): "nonsense" is unknown here; ldirectord does not start', `nonsense=1\n${SECTION}`],
  ])('does not drive a service, and says why: %s', (what, text) => {
    expect(untestedOf(withLdirectord(text)).join('\n')).toContain(what)
  })

  it('judges the clients of a persistent service, not its connections', () => {
    const names = planScenarios(withLdirectord(`${SECTION}\tpersistent=50\n`)).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['persistence-10.0.0.100:80/TCP', 'release-10.0.0.100:80/TCP']))
    expect(names).not.toContain('shares-10.0.0.100:80/TCP')
  })

  it('expects of the table what ldirectord finds well, and nothing of a service that is not driven', () => {
    const two = withLdirectord(`${SECTION}\n${SECTION.replaceAll(':80', ':25')}`)
    const table = planScenarios(two).find(one => one.name === 'table-d1')
    expect(table?.checks[0]?.params).toMatchObject({ services: [{ service: 'TCP 10.0.0.100:80' }] })
    const off = withLdirectord(`${SECTION}\tchecktype=off\n`)
    expect(planScenarios(off)).toEqual([])
    expect(off.readiness.map(one => one.condition.kind)).toEqual(['process', 'process'])
    expect(untestedOf(off)).toContain(
      'service 10.0.0.100:80/TCP: checktype off: ldirectord puts no server into the table',
    )
  })

  it('drives what speaks HTTP on another port, and a mark where the packet filter sets it', () => {
    expect(withLdirectord(`${SECTION.replaceAll(':80', ':8000')}\tservice=http\n`).fixed[0]?.url).toBe(
      'http://10.0.0.100:8000/',
    )
    const rules = '*mangle\n-A PREROUTING -d 10.0.0.100/32 -p tcp --dport 80 -j MARK --set-mark 7\nCOMMIT\n'
    const marked = planWith({
      'etc/ha.d/ldirectord.cf': SECTION.replace('10.0.0.100:80', '7'),
      'etc/iptables/rules.v4': rules,
    })
    expect(marked.fixed[0]).toMatchObject({
      name: 'fwmark 7 10.0.0.100:80',
      table: 'FWM 7',
      url: 'http://10.0.0.100:80/',
    })
  })

  it('comes before a saved table on the same node', () => {
    const both = planWith({ 'etc/ha.d/ldirectord.cf': SECTION, 'etc/ipvsadm.rules': '-A -t 10.0.0.100:80 -s rr\n' })
    expect(both.tables.map(({ program }) => program)).toEqual(['ldirectord'])
    expect(untestedOf(both)).toContain(
      '/etc/ipvsadm.rules (d1): ldirectord makes the table: what was restored before is not judged',
    )
  })
})

describe('a director with keepalived and an address that no VRRP moves', () => {
  const server = (n: number) => `real_server 10.0.0.1${n} 80 {\n TCP_CHECK {\n }\n }\n`
  const SERVICE = `virtual_server 10.0.0.100 80 {
 lb_kind DR
 lb_algo rr
 protocol TCP
 quorum 2
 sorry_server 127.0.0.1 80
 ${server(1)}${server(2)}}
`
  const STATIC = 'static_ipaddress {\n 10.0.0.100/24\n}\n'
  const FILE = 'etc/keepalived/keepalived.conf'
  const WITHOUT = TOPOLOGY.replace(', loopback: [10.0.0.100/32]', '')
  const withKeepalived = (text: string, topology = TOPOLOGY): Plan => planWith({ [FILE]: text }, topology)

  it('has its services judged as if an election had given it the VIP', () => {
    const plan = withKeepalived(SERVICE)
    expect(promisesOf(plan).vips).toEqual(['10.0.0.100: d1, without VRRP'])
    expect(plan.readiness.map(({ title }) => title)).toEqual([
      '10.0.0.100 is on d1 alone',
      'TCP 10.0.0.100:80 on d1 has rs1, rs2',
      'rs1 answers d1 on port 80',
      'rs2 answers d1 on port 80',
    ])
    expect(planScenarios(plan).map(({ name }) => name)).toEqual([
      'configuration',
      'shares-10.0.0.100:80/TCP',
      'reload-d1',
      'server-10.0.0.100:80/TCP-rs1:80',
      'server-10.0.0.100:80/TCP-rs2:80',
      'sorry-10.0.0.100:80/TCP',
      'quorum-10.0.0.100:80/TCP',
    ])
    expect(plan.untested).toEqual([
      { what: 'failover of 10.0.0.100', why: 'no VRRP moves it: the service fails with its director' },
    ])
  })

  it('is watched at a reload until each check has begun anew', () => {
    const slow = SERVICE.replace('lb_kind', 'delay_loop 20\n lb_kind').replace('TCP_CHECK {', 'TCP_CHECK {\n warmup 30')
    const reload = planScenarios(withKeepalived(slow)).find(({ name }) => name === 'reload-d1')
    expect(reload?.checks.map(({ params }) => params)).toMatchObject([
      { owner: 'd1', services: ['TCP 10.0.0.100:80'], probe: 'clients of 10.0.0.100', watchBound: { maxMs: 31_000 } },
    ])
  })

  it('may have it by static_ipaddress', () => {
    const plan = withKeepalived(STATIC + SERVICE, WITHOUT)
    expect(plan.services.map(({ url }) => url)).toEqual(['http://10.0.0.100:80/'])
    expect(plan.fixedVips[0]?.members[0]?.instance.addresses[0]?.device).toBe('eth0')
  })

  it('may have it by its own rc.local', () => {
    const script = '#!/bin/sh -e\nip addr add 10.0.0.100/32 dev lo\n'
    expect(planWith({ [FILE]: SERVICE, 'etc/rc.local': script }, WITHOUT).fixedVips).toHaveLength(1)
  })

  it('may have a mark for it', () => {
    const iptables = '-t mangle -A PREROUTING -d 10.0.0.100/32 -p tcp --dport 80 -j MARK --set-mark 7'
    const plan = withKeepalived(
      SERVICE.replace('10.0.0.100 80', 'fwmark 7'),
      TOPOLOGY.replace('loopback', `iptables: ['${iptables}'], loopback`),
    )
    expect(plan.services.map(({ name }) => name)).toEqual(['fwmark 7 10.0.0.100:80'])
  })

  const NOBODY =
    'no VRRP instance of this topology holds its address, and no director that has the service gets it by topology.yaml, static_ipaddress or etc/rc.local'
  const OTHER = TOPOLOGY.replace(
    'nodes:',
    'nodes:\n  d2: { role: director, interfaces: { eth0: { network: lan, address: 10.0.0.3 } }LO }',
  )
  it.each([
    ['nobody has it', SERVICE, WITHOUT, NOBODY],
    ['its device is missing', STATIC.replace('/24', '/24 dev eth7') + SERVICE, WITHOUT, NOBODY],
    [
      'another has it too',
      SERVICE,
      OTHER.replace('LO', ', loopback: [10.0.0.100/32]'),
      'd2 and d1 have 10.0.0.100 for good: which of them clients reach is not known',
    ],
  ])('is not driven where %s', (_, text, topology, why) => {
    expect(withKeepalived(text, topology).untested).toContainEqual({ what: 'service 10.0.0.100:80/TCP', why })
  })
})
