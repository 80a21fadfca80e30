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

/** Three services whose real server is no web server, on two directors. */
const otherProtocols = (priority: number): string => {
  const service = (port: number, protocol: string, check: string): string =>
    `virtual_server 10.1.0.100 ${port} {
    delay_loop 2
    lb_algo rr
    lb_kind DR
    protocol ${protocol}
    alpha
    real_server 10.1.0.10 ${port} {
        ${check} {
            connect_timeout 2
        }
    }
}
`
  return `vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority ${priority}
    virtual_ipaddress {
        10.1.0.100/24
    }
}
${service(25, 'TCP', 'SMTP_CHECK')}${service(53, 'UDP', 'DNS_CHECK')}${service(5000, 'UDP', 'UDP_CHECK').replace(
  'connect_timeout',
  'require_reply 706f6e67\n            connect_timeout',
)}`
}

test('a derived real server answers checks of SMTP, DNS and a certain datagram', async () => {
  const [pair, reports] = [path.join(await temporaryDir(), 'other-protocols'), await temporaryDir()]
  for (const [node, priority] of [
    ['d1', 110],
    ['d2', 100],
  ] as const) {
    await mkdir(path.join(pair, node), { recursive: true })
    await writeFile(path.join(pair, node, 'keepalived.conf'), otherProtocols(priority))
  }
  const clock = inject('clock') === 'default' ? [] : ['--clock', inject('clock')]

  const { code, stdout, stderr } = await lvslab([
    'verify',
    pair,
    '--only',
    'reload',
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
    expect.arrayContaining([
      ['TCP 10.1.0.100:25', ['10.1.0.10:25']],
      ['UDP 10.1.0.100:53', ['10.1.0.10:53']],
      ['UDP 10.1.0.100:5000', ['10.1.0.10:5000']],
    ]),
  )
})
