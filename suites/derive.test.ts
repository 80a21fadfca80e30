import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, inject, test } from 'vitest'
import type { LabEvent } from '../src/history/event.ts'
import type { RunReport } from '../src/report/run.ts'
import { loadTopology } from '../src/topology/load.ts'
import { lvslab, temporaryDir } from './command-line.ts'

/** Runs `lvslab verify` of plain configurations, which has to pass; what it said, and the folder of the run. */
const verified = async (target: string, only?: string): Promise<{ report: RunReport; folder: string }> => {
  const reports = await temporaryDir()
  const clock = inject('clock') === 'default' ? [] : ['--clock', inject('clock')]
  const chosen = only === undefined ? [] : ['--only', only]
  const { code, stdout, stderr } = await lvslab(['verify', target, ...chosen, '--json', '--reports', reports, ...clock])
  expect(code, stdout + stderr).toBe(0)
  const [run = ''] = await readdir(reports)
  return { report: JSON.parse(stdout) as RunReport, folder: path.join(reports, run) }
}

test('a pair of plain keepalived.conf files, and nothing else, is verified', async () => {
  const pair = path.join(await temporaryDir(), 'plain-pair')
  for (const node of ['d1', 'd2'])
    await cp(`topologies/keepalived-dr/${node}/etc/keepalived`, path.join(pair, node), { recursive: true })
  const { report, folder } = await verified(pair)
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
  const { nodes } = loadTopology(path.join(folder, 'topology'))
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
  const { folder } = await verified(await plainPair('other-protocols', otherProtocols), 'reload,failover-script')
  // `alpha`: nobody is in a table whose check has not succeeded
  const journal = await readFile(path.join(folder, 'journal.ndjson'), 'utf8')
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

const instance = (name: string, id: number, priority: number, vips: string[], more = ''): string =>
  `vrrp_instance ${name} {
    state BACKUP
    interface eth0
    virtual_router_id ${id}
    priority ${priority}
    ${more}
    virtual_ipaddress {
        ${vips.join('\n        ')}
    }
}
`

/** A service of each family behind VIPs that move together, and one of IPv6 by TUN. */
const bothFamilies = (priority: number): string => {
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
    instance('V4', 51, priority, ['10.2.0.100/24']),
    instance('V6', 52, priority, ['fe80::64/128', '2001:db8:2::100/128']),
    service('10.2.0.100', ['10.2.0.11', '10.2.0.12']),
    // its pool is empty for seconds when a director has started, which clients notice
    service('2001:db8:2::100', ['2001:db8:2::11', '2001:db8:2::12'], { checks: 'delay_loop 5\n    alpha' }),
    // the first is behind DR, too
    service('2001:db8:2::100', ['2001:db8:2::11', '2001:db8:2::13'], { kind: 'TUN', port: 8080 }),
  ].join('')
}

/** A DNS service on two directors with VMACs of each family. */
const dnsOnVmac = (priority: number): string => `
${instance('V4', 51, priority, ['10.3.0.100/24'], 'use_vmac')}
${instance('V6', 52, priority, ['fe80::64/64', '2001:db8:3::100/64'], 'use_vmac')}
virtual_server 10.3.0.100 53 {
    delay_loop 2
    lb_algo wrr
    lb_kind DR
    protocol UDP
${[11, 12].map(n => `    real_server 10.3.0.${n} 53 {\n        weight ${13 - n}\n        DNS_CHECK {\n            connect_timeout 2\n        }\n    }\n`).join('')}}
`

test('a plain pair with VMACs and a service by UDP is verified', async () => {
  const only = 'shares,failover-crash,failover-link,server'
  const { results } = (await verified(await plainPair('dns-on-vmac', dnsOnVmac), only)).report
  const kinds = results.map(({ check }) => check)
  expect(kinds).toEqual(
    expect.arrayContaining([
      ...['shares-10.3.0.100:53/UDP', 'server-10.3.0.100:53/UDP-rs1:53', 'server-10.3.0.100:53/UDP-rs2:53'],
      ...['crash', 'link-eth0'].flatMap(cause =>
        ['failover', 'preemption', 'single-owner', 'garp', 'silent-backup'].map(kind => `${kind}-${cause}`),
      ),
      'failover-link-eth0-2001:db8:3::100',
    ]),
  )
  expect(results.filter(({ outcome }) => outcome !== 'PASS')).toEqual([])
})

test('a plain pair with a VIP of each family is verified', async () => {
  const { report } = await verified(await plainPair('both-families', bothFamilies), 'shares,failover-stop,server')
  const [direct, tunnel] = ['[2001:db8:2::100]:80/TCP', '[2001:db8:2::100]:8080/TCP']
  const judged = [`shares-${direct}`, `server-${direct}-rs4:80`, `shares-${tunnel}`, `server-${tunnel}-rs5:8080`]
  expect(report.results.map(({ check, lab }) => `${check} of ${lab}`)).toEqual(
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
  const file = path.join(await temporaryDir(), 'checker.conf')
  await writeFile(file, HEALTH_CHECKER)
  const { report } = await verified(file)
  expect(report.results.map(({ check }) => check).toSorted()).toEqual([
    'configuration-checker',
    'quorum-10.0.0.100:443/TCP',
    'reload-checker-10.0.0.100',
    'server-10.0.0.100:443/TCP-rs1:443',
    'server-10.0.0.100:443/TCP-rs2:443',
    'shares-10.0.0.100:443/TCP',
  ])
})
