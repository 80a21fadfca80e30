import { cp, readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, inject, test } from 'vitest'
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
