import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, test } from 'vitest'
import type { RunReport } from '../src/report/run.ts'
import { changedTopology, lvslab, startLvslab, temporaryDir } from './command-line.ts'

const DR = 'topologies/keepalived-dr'
const clock = (): string[] => (inject('clock') === 'default' ? [] : ['--clock', inject('clock')])

describe('lvslab verify', () => {
  test('names dual MASTER and its cause when the directors have another auth_pass, and never the secret', async () => {
    const secret = 'hunter2x'
    const dir = await changedTopology(DR, 'd2/etc/keepalived/conf.d/vip_nginx.conf', text =>
      text.replace(/auth_pass \S+/, `auth_pass ${secret}`),
    )
    const reports = await temporaryDir()
    const { code, stdout, stderr } = await lvslab(['verify', dir, '--json', '--reports', reports, ...clock()])
    expect(code, stderr).toBe(1)
    const report = JSON.parse(stdout) as RunReport
    const [failed] = report.results.filter(result => result.outcome === 'FAIL')
    expect(failed?.reason).toContain('Dual MASTER: d1 (10.0.0.200) and d2 (10.0.0.201)')
    expect(failed?.reason).toContain('auth_pass differs between d1 and d2')
    const adverts = failed?.proof.filter(event => event.kind === 'advert') ?? []
    expect(adverts.map(advert => advert.source).sort()).toEqual(['10.0.0.200', '10.0.0.201'])
    expect(new Set(adverts.map(advert => advert.authentication?.secret)).size).toBe(2)
    // what could not be tried is listed, not passed
    expect(report.untested.some(({ why }) => why === 'the lab did not converge')).toBe(true)
    const [run = ''] = await readdir(reports)
    const files = await readdir(path.join(reports, run))
    expect(files).toEqual(
      expect.arrayContaining(['checks.json', 'journal.ndjson', 'junit.xml', 'report.html', 'run.json', 'summary.md']),
    )
    for (const name of files) {
      expect(await readFile(path.join(reports, run, name), 'utf8'), name).not.toContain(secret)
    }
    expect(stdout + stderr).not.toContain(secret)

    // the lab is gone, and the verdicts are the same
    const again = await lvslab(['judge', path.join(reports, run), '--json'])
    expect(again.code, again.stderr).toBe(1)
    expect(JSON.parse(again.stdout)).toEqual(report)
  })

  test('says which line keepalived ignores', async () => {
    const dir = await changedTopology(DR, 'd1/etc/keepalived/conf.d/lvs_nginx.conf', text =>
      text.replace('protocol TCP', 'protocol TCP\n    nat_mask 255.255.255.0'),
    )
    const { code, stdout, stderr } = await lvslab([
      'verify',
      dir,
      ...['--only', 'convergence,configuration,shares'],
      '--json',
      '--reports',
      await temporaryDir(),
      ...clock(),
    ])
    expect(code, `${stderr}\n${stdout}`).toBe(1)
    const failed = (JSON.parse(stdout) as RunReport).results.filter(result => result.outcome === 'FAIL')
    expect(failed.map(result => result.check)).toEqual(['configuration-d1'])
    expect(failed[0]?.reason).toContain('nat_mask')
  })

  test("tries what is named alone, and holds it to the operator's own limits", async () => {
    const dir = await changedTopology(DR, 'topology.yaml', text => `${text}\nexpect: { failover: 10s }\n`)
    const line = (await readFile(path.join(dir, 'topology.yaml'), 'utf8')).trimEnd().split('\n').length
    const reports = await temporaryDir()
    const wanted = ['--only', 'failover-stop', '--skip', 'garp', '--max-gap', '100ms']
    const { code, stdout, stderr } = await lvslab([
      'verify',
      dir,
      ...wanted,
      '--json',
      '--reports',
      reports,
      ...clock(),
    ])
    expect(code, `${stderr}\n${stdout}`).toBe(1)
    const report = JSON.parse(stdout) as RunReport
    expect(report.results.map(({ check, outcome }) => [check, outcome])).toEqual([
      ['failover-stop', 'FAIL'],
      ['preemption-stop', 'PASS'],
      ['single-owner-stop', 'PASS'],
      ['silent-backup-stop', 'PASS'],
    ])
    // the configuration's own bounds are kept
    const [failed] = report.results
    expect(failed?.reason).toMatch(/^client gap: \S+ s, \S+ s above the limit 0.1 s of --max-gap\.$/)
    expect(failed?.measurements.map(({ name, limit }) => [name, limit])).toEqual([
      ['VIP move', { maxMs: 10_000, at: `topology.yaml:${line}` }],
      ['client gap', { maxMs: 100, at: '--max-gap' }],
      ['failed requests', undefined],
    ])
    const reasons = Map.groupBy(report.untested, ({ why }) => why)
    expect([...reasons.keys()].sort()).toEqual(['--skip garp', 'not in --only failover-stop'])

    const [run = ''] = await readdir(reports)
    const again = await lvslab(['judge', path.join(reports, run), '--json'])
    expect(JSON.parse(again.stdout)).toEqual(report)
  })

  test('says which script fails before anything is broken, and judges no bound that counts on it', async () => {
    const fails = (dir: string, node: string) =>
      changedTopology(dir, `${node}/etc/keepalived/check_nginx.sh`, () => '#!/bin/sh\nexit 3\n')
    const dir = await fails(await fails('topologies/nginx-pair', 'd1'), 'd2')
    const only = ['--only', 'tracked,failover-stop,configuration', '--reports', await temporaryDir()]
    const { code, stdout, stderr } = await lvslab(['verify', dir, ...only, '--json', ...clock()])
    expect(code, `${stderr}\n${stdout}`).toBe(3)
    const { results, untested } = JSON.parse(stdout) as RunReport
    expect(results.map(({ check, outcome }) => `${check} ${outcome}`)).toEqual([
      ...['tracked-d1 INCONCLUSIVE', 'tracked-d2 INCONCLUSIVE'],
      ...['configuration-d1 PASS', 'configuration-d2 PASS'],
    ])
    const said = 'VRRP_Script(check_nginx) failed (exited with status 3)'
    expect(results[0]?.reason).toContain(`keepalived said on d1: ${said}.`)
    expect(untested.find(({ what }) => what.includes('after a clean stop'))?.why).toContain(said)
  })

  test('begins nothing that does not fit into the budget, and lists it as untested', async () => {
    const reports = await temporaryDir()
    const verify = ['verify', DR, '--budget', '1ms', '--json', '--reports', reports, ...clock()]
    const { code, stdout, stderr } = await lvslab(verify)
    expect(code, `${stderr}\n${stdout}`).toBe(0)
    expect(stderr).toMatch(/^--budget 1ms left out \d+ scenarios$/m)
    const { results, untested } = JSON.parse(stdout) as RunReport
    expect(results.map(({ lab }) => lab)).toEqual(['convergence'])
    expect(new Set(untested.map(({ why }) => why))).toEqual(new Set(['did not fit into --budget 1ms']))
  })

  test('stops at a typo in topology.yaml with line and column, before any engine is started', async () => {
    const dir = await changedTopology(DR, 'topology.yaml', text => text.replace('role: director', 'role: directr'))
    const { code, stderr } = await lvslab(['verify', dir])
    expect(code).toBe(2)
    expect(stderr).toMatch(/topology\.yaml:\d+:\d+ .*"directr".*did you mean "director"\?/)
    expect(stderr).not.toContain('Boot')
  })

  test('stops at an unbalanced brace in keepalived.conf with line and column', async () => {
    const dir = await changedTopology(DR, 'd1/etc/keepalived/conf.d/vip_nginx.conf', text => `${text}}\n`)
    const { code, stderr } = await lvslab(['verify', dir])
    expect(code).toBe(2)
    expect(stderr).toMatch(/vip_nginx\.conf:\d+:\d+ /)
  })

  test.for(['configuration', 'failover-stop', 'sorry'])('leaves nothing behind on Ctrl-C during %s', async step => {
    const cacheTmp = await temporaryDir()
    const verify = startLvslab(['verify', DR, '--reports', cacheTmp, ...clock()], { TMPDIR: cacheTmp })
    await verify.says(`> ${step}`)
    await sleep(Math.random() * 1500)
    verify.kill('SIGINT')
    const { code, stderr } = await verify.finished
    expect(code, stderr).toBe(130)
    expect(stderr).toContain('cleaning up')
    expect((await readdir(cacheTmp)).filter(name => name.startsWith('lvslab'))).toEqual([])
  })
})
