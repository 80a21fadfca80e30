import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, inject, test } from 'vitest'
import type { LabEvent } from '../src/history/event.ts'
import type { RunReport } from '../src/report/run.ts'
import { loadTopology } from '../src/topology/load.ts'
import { lvslab, temporaryDir } from './command-line.ts'

test('a pair of plain keepalived.conf files, and nothing else, is verified', async () => {
  const [pair, reports] = [path.join(await temporaryDir(), 'plain-pair'), await temporaryDir()]
  for (const node of ['d1', 'd2'])
    await cp(`topologies/keepalived-dr/${node}/etc/keepalived`, path.join(pair, node), { recursive: true })
  const clock = inject('clock') === 'default' ? [] : ['--clock', inject('clock')]

  const { code, stdout, stderr } = await lvslab(['verify', pair, '--json', '--reports', reports, ...clock])
  expect(code, stdout + stderr).toBe(0)
  const report = JSON.parse(stdout) as RunReport
  expect(report.results.filter(({ outcome }) => outcome !== 'PASS')).toEqual([])
  expect(report.results.map(({ check }) => check)).toEqual(
    expect.arrayContaining([
      'shares-10.0.0.100:80/TCP',
      'failover-stop',
      'failover-crash',
      'server-10.0.0.100:80/TCP-rs2:80',
      'sorry-10.0.0.100:80/TCP',
    ]),
  )

  // what was built can be looked at
  const [run = ''] = await readdir(reports)
  const { nodes } = loadTopology(path.join(reports, run, 'topology'))
  expect(nodes.map(({ name, role }) => `${name} ${role}`)).toEqual([
    'c1 client',
    'd1 director',
    'd2 director',
    'rs1 realserver',
    'rs2 realserver',
  ])
})

/** Writes a folder with a keepalived.conf for each of two directors, and nothing else. */
const plainPair = async (name: string, configuration: (priority: number) => string): Promise<string> => {
  const pair = path.join(await temporaryDir(), name)
  for (const [node, priority] of Object.entries({ d1: 110, d2: 100 })) {
    await mkdir(path.join(pair, node), { recursive: true })
    await writeFile(path.join(pair, node, 'keepalived.conf'), configuration(priority))
  }
  return pair
}

/** Services for each family whose real server is no web server, on two directors. */
const otherProtocols = (priority: number): string => {
  const service = (network: string, port: number, protocol: string, check: string, wants = ''): string =>
    `virtual_server ${network}100 ${port} {
    delay_loop 2
    lb_algo rr
    lb_kind DR
    protocol ${protocol}
    alpha
    real_server ${network}10 ${port} {
        ${check} {
            connect_timeout 2
            ${wants}
        }
    }
}
`
  const services = (network: string): string =>
    [
      service(network, 25, 'TCP', 'SMTP_CHECK'),
      service(network, 53, 'UDP', 'DNS_CHECK'),
      service(network, 5000, 'UDP', 'UDP_CHECK', 'require_reply 706f6e67'),
      service(network, 6000, 'UDP', 'UDP_CHECK'),
    ].join('')
  return `vrrp_script chk_haproxy {
    script "killall -0 haproxy"
    interval 1
    weight -20
}
vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority ${priority}
    virtual_ipaddress {
        10.1.0.100/24
    }
    track_script {
        chk_haproxy
    }
    virtual_ipaddress_excluded {
        2001:db8:1::100/128
    }
}
${services('10.1.0.')}${services('2001:db8:1::')}`
}

test('a derived real server answers checks of SMTP, DNS and a certain datagram, by IPv4 and IPv6; what a script looks for crashes', async () => {
  const [pair, reports] = [await plainPair('other-protocols', otherProtocols), await temporaryDir()]
  const clock = inject('clock') === 'default' ? [] : ['--clock', inject('clock')]

  const { code, stdout, stderr } = await lvslab([
    'verify',
    pair,
    '--only',
    'reload,failover-script',
    '--json',
    '--reports',
    reports,
    ...clock,
  ])
  expect(code, stdout + stderr).toBe(0)
  // `alpha`: nobody is in a table whose check has not succeeded
  const [run = ''] = await readdir(reports)
  const journal = await readFile(path.join(reports, run, 'journal.ndjson'), 'utf8')
  const events = journal
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as LabEvent)
  const table = events.findLast(event => event.kind === 'ipvs' && event.node === 'd1')
  const pools = table?.kind === 'ipvs' ? table.services : []
  expect(
    pools.map(({ service, destinations }) => [service, destinations.map(one => `${one.address}:${one.port}`)]),
  ).toEqual(
    expect.arrayContaining(
      [
        ['10.1.0.100', '10.1.0.10'],
        ['[2001:db8:1::100]', '2001:db8:1::10'],
      ].flatMap(([vip, server]) => [
        [`TCP ${vip}:25`, [`${server}:25`]],
        [`UDP ${vip}:53`, [`${server}:53`]],
        [`UDP ${vip}:5000`, [`${server}:5000`]],
        [`UDP ${vip}:6000`, [`${server}:6000`]],
      ]),
    ),
  )
})

/** A service of each family behind VIPs that move together, and one of IPv6 by TUN. */
const bothFamilies = (priority: number): string => {
  const instance = (name: string, id: number, vips: string[]): string =>
    `vrrp_instance ${name} {
    state BACKUP
    interface eth0
    virtual_router_id ${id}
    priority ${priority}
    virtual_ipaddress {
        ${vips.join('\n        ')}
    }
}
`
  const service = (vip: string, servers: string[], { kind = 'DR', port = 80, checks = 'delay_loop 2' } = {}): string =>
    `virtual_server ${vip} ${port} {
    ${checks}
    lb_algo rr
    lb_kind ${kind}
    protocol TCP
${servers.map(server => `    real_server ${server} ${port} {\n        TCP_CHECK {\n            connect_timeout 2\n        }\n    }\n`).join('')}}
`
  return [
    'vrrp_sync_group BOTH {\n    group {\n        V4\n        V6\n    }\n}\n',
    instance('V4', 51, ['10.2.0.100/24']),
    instance('V6', 52, ['fe80::64/128', '2001:db8:2::100/128']),
    service('10.2.0.100', ['10.2.0.11', '10.2.0.12']),
    // its pool is empty for seconds when a director has started, which clients notice
    service('2001:db8:2::100', ['2001:db8:2::11', '2001:db8:2::12'], { checks: 'delay_loop 5\n    alpha' }),
    // the first is behind DR, too
    service('2001:db8:2::100', ['2001:db8:2::11', '2001:db8:2::13'], { kind: 'TUN', port: 8080 }),
  ].join('')
}

/** A DNS service on two directors with VMACs. */
const dnsOnVmac = (priority: number): string => `vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority ${priority}
    use_vmac
    virtual_ipaddress {
        10.3.0.100/24
    }
}
virtual_server 10.3.0.100 53 {
    delay_loop 2
    lb_algo wrr
    lb_kind DR
    protocol UDP
${[11, 12].map(n => `    real_server 10.3.0.${n} 53 {\n        weight ${13 - n}\n        DNS_CHECK {\n            connect_timeout 2\n        }\n    }\n`).join('')}}
`

test('a plain pair with VMACs and a service by UDP is verified', async () => {
  const [pair, reports] = [await plainPair('dns-on-vmac', dnsOnVmac), await temporaryDir()]
  const clock = inject('clock') === 'default' ? [] : ['--clock', inject('clock')]
  const only = ['--only', 'shares,failover-crash,server']
  const { code, stdout, stderr } = await lvslab(['verify', pair, ...only, '--json', '--reports', reports, ...clock])
  expect(code, stdout + stderr).toBe(0)
  const { results } = JSON.parse(stdout) as RunReport
  expect(results.map(({ check, outcome }) => `${check} ${outcome}`)).toEqual([
    'shares-10.3.0.100:53/UDP PASS',
    'failover-crash PASS',
    'preemption-crash PASS',
    'single-owner-crash PASS',
    'garp-crash PASS',
    'silent-backup-crash PASS',
    'server-10.3.0.100:53/UDP-rs1:53 PASS',
    'server-10.3.0.100:53/UDP-rs2:53 PASS',
  ])
})

test('a plain pair with a VIP of each family is verified', async () => {
  const [pair, reports] = [await plainPair('both-families', bothFamilies), await temporaryDir()]
  const clock = inject('clock') === 'default' ? [] : ['--clock', inject('clock')]

  const only = ['--only', 'shares,failover-stop,server']
  const { code, stdout, stderr } = await lvslab(['verify', pair, ...only, '--json', '--reports', reports, ...clock])
  expect(code, stdout + stderr).toBe(0)
  const [direct, tunnel] = ['[2001:db8:2::100]:80/TCP', '[2001:db8:2::100]:8080/TCP']
  const judged = [`shares-${direct}`, `server-${direct}-rs4:80`, `shares-${tunnel}`, `server-${tunnel}-rs5:8080`]
  expect((JSON.parse(stdout) as RunReport).results.map(({ check, lab }) => `${check} of ${lab}`)).toEqual(
    expect.arrayContaining([
      'failover-stop of failover-stop-2001:db8:2::100',
      ...judged.map(name => `${name} of ${name}`),
    ]),
  )
})

/** No VRRP, and the address of its service on the director itself. */
const HEALTH_CHECKER = `static_ipaddress {
    10.0.0.100/24 dev eth0
}
virtual_server 10.0.0.100 443 {
    delay_loop 2
    lb_algo rr
    lb_kind NAT
    protocol TCP
    quorum 2
${['192.168.7.11', '192.168.7.12']
  .map(
    server => `    real_server ${server} 443 {
        SSL_GET {
            url {
                path /
                status_code 200
            }
            connect_timeout 2
            retry 1
            delay_before_retry 1
        }
    }
`,
  )
  .join('')}}
`

test('one keepalived without VRRP, which balances HTTPS, is verified', async () => {
  const [dir, reports] = [await temporaryDir(), await temporaryDir()]
  const file = path.join(dir, 'checker.conf')
  await writeFile(file, HEALTH_CHECKER)
  const clock = inject('clock') === 'default' ? [] : ['--clock', inject('clock')]

  const { code, stdout, stderr } = await lvslab(['verify', file, '--json', '--reports', reports, ...clock])
  expect(code, stdout + stderr).toBe(0)
  expect((JSON.parse(stdout) as RunReport).results.map(({ check }) => check).toSorted()).toEqual([
    'configuration-checker',
    'quorum-10.0.0.100:443/TCP',
    'reload-checker-10.0.0.100',
    'server-10.0.0.100:443/TCP-rs1:443',
    'server-10.0.0.100:443/TCP-rs2:443',
    'shares-10.0.0.100:443/TCP',
  ])
})
