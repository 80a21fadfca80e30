import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, inject, test as plain } from 'vitest'
import type { IpvsEvent } from '../src/history/event.ts'
import { eventsOf, tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { explainDualMaster } from '../src/model/dual-master.ts'
import { checkUpBound, serverDownBound } from '../src/model/health-check.ts'
import { KEEPALIVED, type KeepalivedRelease } from '../src/model/keepalived.ts'
import { handoverBound, startBound } from '../src/model/vrrp.ts'
import type { RunReport } from '../src/report/run.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { lvslab, temporaryDir } from './command-line.ts'
import { directorOf, linesOf, restartWith, run, slackOf } from './steps.ts'

/** What releases of keepalived do otherwise, each beside what is predicted for it. */

const dir = 'topologies/keepalived-dr'
const [RS1, SERVICE] = ['10.0.0.10', 'TCP 10.0.0.100:80']

const isIn = ({ services }: IpvsEvent): boolean =>
  services.some(({ service, destinations }) => service === SERVICE && destinations.some(d => d.address === RS1))

/** Waits until rs1 is in the table of d1, or out of it. */
const untilIn = (lab: Lab, present: boolean, ms: number): Promise<boolean> =>
  lab.until(
    { kind: 'pool', node: 'd1', service: SERVICE, destinations: [...(present ? [`${RS1}:80`] : []), '10.0.0.20:80'] },
    ms,
  )

const tests = { '2.2': labTest(dir, { keepalived: '2.2' }), '2.3': labTest(dir, { keepalived: '2.3' }) }

describe.each(Object.keys(tests) as KeepalivedRelease[])('keepalived %s', release => {
  const test = tests[release]

  test('is what both directors run, with every library that it is linked with', async ({ lab }) => {
    for (const director of ['d1', 'd2']) {
      const { stdout } = await run(
        lab,
        director,
        'keepalived --version 2>&1; ldd $(readlink -f /proc/$(pgrep -o keepalived)/exe)',
      )
      expect(stdout).toContain(`Keepalived v${KEEPALIVED[release]} `)
      expect(stdout).toMatch(/libcrypto\.so\.3 => \//)
      expect(stdout).not.toContain('not found')
      expect(linesOf(lab, director).join('\n')).toContain(`Starting Keepalived v${KEEPALIVED[release]} `)
    }
  })

  // before 2.3 it does not mark its addresses: what puts a node's own back after a fault must know them all the same
  test('the VIP moves with the link, and back', async ({ lab, plan, judge }) => {
    const scenario = planScenarios(plan).find(({ name }) => name.startsWith('failover-link'))
    if (!scenario) throw new Error('the plan has no loss of a link')
    await scenario.drive(lab)
    for (const check of scenario.checks) judge(check)
  })

  const two = release === '2.2'
  test(`${two ? 'makes two MASTERs of' : 'keeps one MASTER of'} directors whose VIP lists differ`, async ({
    lab,
    vip,
  }) => {
    const file = 'd2/etc/keepalived/conf.d/vip_nginx.conf'
    const { configs } = await restartWith(lab, dir, file, text => text.replace(/10\.0\.0\.100.*/, '$&\n10.0.0.101/24'))
    const causes = explainDualMaster(configs).map(({ message }) => message)
    expect(causes).toEqual([expect.stringContaining('virtual_ipaddress differs')])
    await lab.sleep(2 * startBound(vip.backup).maxMs)
    const bound = handoverBound(vip.backup)
    if (two) expect(lab.history).not.toKeepOneOwner(bound, { vip, causes })
    else expect(lab.history).toKeepOneOwner(bound, { vip, causes })
    const words = two ? 'received an unexpected ip number count 1, expected 2!' : 'expected 2 VIPs but received 1'
    expect(linesOf(lab, 'd2').join('\n')).toContain(words)
  })

  test(`TCP_CHECK polls a dead server ${two ? 'by its retries too' : 'once in each delay_loop'}`, async ({ lab }) => {
    const plan = await restartWith(lab, dir, 'd1/etc/keepalived/conf.d/lvs_nginx.conf', text =>
      text
        .replace('delay_loop 3', 'delay_loop 2')
        .replace(
          /HTTP_GET {[^]*?delay_before_retry 1/,
          'TCP_CHECK {\nconnect_timeout 1\nretry 1\ndelay_before_retry 6',
        ),
    )
    const server = directorOf(plan, 'd1').services[0]?.realServers[0]
    const [check] = server?.checks ?? []
    const down = server && serverDownBound(server, 'refused')
    const [up, otherUp] = [release, two ? '2.3' : '2.2'].map(
      of => check && checkUpBound(check, 'refused', of as KeepalivedRelease),
    )
    if (!down || !up || !otherUp) throw new Error('no bound is known for the health check')
    await untilIn(lab, true, 20_000)
    await lab.sleep(4_000) // the first check after the start decides alone

    const stop = await lab.capture({
      ...{ capture: 'probes', node: 'rs1', device: 'eth0' },
      filter: 'src host 10.0.0.200 and tcp dst port 80 and tcp[tcpflags] == tcp-syn',
    })
    const heal = await lab.inject('httpd-crash', 'rs1')
    expect(await untilIn(lab, false, down.maxMs + slackOf(lab))).toBe(true)
    await lab.sleep(30_000)
    const probes = eventsOf(lab.history, 'packet').map(({ t }) => t)
    const pauses = probes.slice(1).map((t, n) => Math.round((t - (probes[n] ?? 0)) / 1000))
    // up to the removal either retries once
    const dead = pauses.slice(pauses.indexOf(6) + 1)
    expect(new Set(dead)).toEqual(new Set(two ? [2, 6] : [2]))
    if (two) expect(dead.filter((_, n) => n % 2 === 0).every(pause => pause === 2)).toBe(true)
    expect(Math.max(...dead)).toBe(up.maxMs / 1000)

    // where the longest pause begins anew, so that what is promised is nearly used up
    const longest = probes.filter((_, n) => pauses[n] === Math.max(...dead)).at(-1) ?? Number.NaN
    const period = (two ? 6 + 2 : 2) * 1000
    const periods = Math.ceil((lab.history.end + 2000 - longest) / period)
    await lab.at(longest + periods * period + 300, () => heal())
    expect(await untilIn(lab, true, up.maxMs + slackOf(lab))).toBe(true)
    await stop()
    const healed = eventsOf(lab.history, 'fault').findLast(({ phase }) => phase === 'heal')?.t ?? Number.NaN
    const back = tablesOf(lab.history, 'd1').find(table => table.t > healed && isIn(table))?.t ?? Number.NaN
    expect(back - healed).toBeLessThanOrEqual(up.maxMs + slackOf(lab))
    if (two) expect(back - healed, 'within what is promised of 2.3').toBeGreaterThan(otherUp.maxMs + slackOf(lab))
  })
})

plain('verify --keepalived 2.2 says which one ran, in its report and in its journal', async () => {
  const reports = await temporaryDir()
  const clock = inject('clock') === 'default' ? [] : ['--clock', inject('clock')]
  const words = ['verify', dir, '--keepalived', '2.2', '--only', 'configuration,failover-stop', '--reports', reports]
  const { code, stdout, stderr } = await lvslab([...words, ...clock, '--json'])
  expect(code, stderr).toBe(0)
  const { engine, untested } = JSON.parse(stdout) as RunReport
  expect(engine['keepalived']).toMatch(/^1:2\.2\.7-/)
  expect(untested.map(({ what }) => what).join()).toContain('keepalived 2.2.7, which d1, d2 run')
  const [run = ''] = await readdir(reports)
  const journal = await readFile(path.join(reports, run, 'journal.ndjson'), 'utf8')
  expect(journal).toContain('Starting Keepalived v2.2.7 ')
  expect(journal).not.toContain('Keepalived v2.3')
})
