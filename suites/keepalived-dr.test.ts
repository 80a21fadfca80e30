import { describe, expect } from 'vitest'
import { eventsOf, requestsOf, tablesOf } from '../src/history/queries.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { restartWith, run, write } from './steps.ts'
import { outcomesOnce } from './traffic.ts'

const dir = 'topologies/keepalived-dr'
const test = labTest(dir)

describe('the keepalived DR pair', () => {
  for (const scenario of planScenarios(planTopology(loadTopology(dir)))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }

  test('a reload takes what was edited meanwhile, which its check finds', async ({ lab, plan, judge }) => {
    await run(lab, 'd1', "sed -i '0,/weight 1/s//weight 2/' /etc/keepalived/conf.d/lvs_nginx.conf")
    const reload = planScenarios(plan).find(({ name }) => name === 'reload-d1')
    if (!reload) throw new Error('the plan has no reload')
    await reload.drive(lab)
    for (const check of reload.checks) judge({ ...check, expected: 'FAIL' })
  })

  test('a backup that lacks a real server of its MASTER is found out before anything fails over', async ({
    lab,
    plan,
    judge,
  }) => {
    const scenario = planScenarios(plan).find(({ name }) => name === 'configuration')
    const check = scenario?.checks.find(({ rule }) => rule === 'table')
    if (!scenario || !check) throw new Error('the plan does not look at the table of d2')
    await restartWith(lab, dir, 'd2/etc/keepalived/conf.d/lvs_nginx.conf', text =>
      text.replace(/ +real_server 10\.0\.0\.20 80 \{[^]*?\n {4}\}\n/, ''),
    )
    await lab.until({ kind: 'pool', node: 'd2', service: 'TCP 10.0.0.100:80', destinations: ['10.0.0.10:80'] }, 5_000)
    await scenario.drive(lab)
    judge({ ...check, expected: 'FAIL' })
  })

  test('without the VIP on its lo a real server answers nobody, and shares are not as promised', async ({
    lab,
    plan,
    judge,
  }) => {
    await run(lab, 'rs1', 'ip address del 10.0.0.100/32 dev lo')
    const shares = planScenarios(plan).find(({ name }) => name.startsWith('shares'))
    const [check] = shares?.checks ?? []
    if (!shares || check?.rule !== 'shares') throw new Error('the plan has no shares')
    await shares.drive(lab)
    judge({ ...check, expected: 'FAIL' })
    expect(outcomesOnce(lab, check.params.probe)).toEqual(['rs2', 'timeout'])
  })

  test('the counters of the director are what clients saw', async ({ lab }) => {
    const probe = await lab.http({ probe: 'clients', client: 'c1', url: 'http://10.0.0.100/', rate: 20, count: 20 })
    await probe.ended()
    await lab.sleep(2_500) // the kernel adds its counters up every 2 s
    await lab.snapshot()
    const destinations = tablesOf(lab.history, 'd1').at(-1)?.services[0]?.destinations ?? []
    const counted = destinations.map(({ address, counters }) => [address, counters?.connections])
    expect(Object.fromEntries(counted)).toEqual({ '10.0.0.10': 10, '10.0.0.20': 10 })
    // by direct routing the answers do not pass the director
    expect(destinations.map(({ counters }) => counters?.packetsOut)).toEqual([0, 0])
    expect(requestsOf(lab.history, 'clients').filter(({ outcome }) => outcome === 'answered').length).toBe(20)
    // meanwhile the MASTER has said so to its group, and has the VIP under its label; before, whoever was first may have been MASTER
    const adverts = eventsOf(lab.history, 'advert').filter(({ t }) => t >= lab.origin)
    expect([...new Set(adverts.map(({ node, destination }) => `${node} ${destination}`))]).toEqual(['d1 233.6.6.6'])
    expect((await run(lab, 'd1', 'ip -o address show label eth0:1')).stdout).toContain('10.0.0.100/24')
  })

  test('keepalived writes each line of its log at once: what another of its processes says never comes in between', async ({
    lab,
  }) => {
    const service = (port: number): string =>
      `virtual_server 10.0.0.100 ${port} {\n  lvs_method DR\n  protocol TCP\n  real_server 10.0.0.10 8080 {\n  }\n}\n`
    const services = Array.from({ length: 50 }, (_, n) => service(9000 + n)).join('')
    await write(lab, 'd1', '/etc/keepalived/conf.d/ports.conf', services)

    const log = '/var/log/keepalived.log'
    const count = `sed -n 's/^syscw: //p' /proc/$(cat /run/checkers.pid)/io; grep -c '' ${log}`
    const counted = async (then = ''): Promise<number[]> =>
      (await run(lab, 'd1', count + then)).stdout.trim().split('\n').map(Number)
    const reloaded = lab.until({ kind: 'line', node: 'd1', file: log, match: 'Reload complete' }, 5_000)
    const [writesBefore = NaN, linesBefore = NaN] = await counted('; kill -HUP $(cat /run/keepalived.pid)')
    expect(await reloaded).toBe(true)
    const [writes = NaN, lines = NaN] = await counted()

    const { stdout: long } = await run(lab, 'd1', `grep "ports don't match" ${log} | grep -cE '.{129}'`)
    expect(Number(long)).toBe(50)
    // fewer, as lines of the VRRP process are among them
    expect(writes - writesBefore).toBeLessThan(lines - linesBefore)
  })

  test('with inhibit_on_failure sh goes on choosing a dead server, and its clients are refused', async ({
    lab,
    judge,
  }) => {
    const file = 'd1/etc/keepalived/conf.d/lvs_nginx.conf'
    const plan = await restartWith(lab, dir, file, text =>
      text.replace('lb_algo rr', 'lb_algo sh').replaceAll('weight 1', 'weight 1\n        inhibit_on_failure'),
    )
    const lost = planScenarios(plan).find(({ name }) => name.startsWith('server-'))
    const [check] = lost?.checks ?? []
    if (!lost || check?.rule !== 'pool') throw new Error('the plan loses no server')
    expect(await lab.until({ kind: 'owner', address: '10.0.0.100', node: 'd1', others: ['d2'] }, 10_000)).toBe(true)
    await lost.drive(lab)
    // it leaves and returns in time
    const { probe: _clients, ...alone } = check.params
    judge({ ...check, check: 'removal', params: alone })
    judge({ ...check, expected: 'FAIL' })
  })

  test('a group of services gets no persistence_granularity, as a service by itself does', async ({ lab }) => {
    const persistent = (head: string): string =>
      `virtual_server ${head} {\n  lvs_sched rr\n  lvs_method DR\n  protocol TCP\n  persistence_timeout 50
  persistence_granularity 255.255.255.0\n  real_server 10.0.0.10 80 {\n  }\n}\n`
    const group = 'virtual_server_group G {\n  10.0.0.101 80\n  10.0.0.102-103 80\n  fwmark 7\n}\n'
    await write(
      lab,
      'd1',
      '/etc/keepalived/conf.d/group.conf',
      group + persistent('group G') + persistent('10.0.0.104 80'),
    )
    const reloaded = lab.until(
      { kind: 'line', node: 'd1', file: '/var/log/keepalived.log', match: 'Reload complete' },
      5_000,
    )
    await run(lab, 'd1', 'kill -HUP $(cat /run/keepalived.pid)')
    expect(await reloaded).toBe(true)
    const { stdout } = await run(lab, 'd1', 'ipvsadm -Sn | grep -e "^-A .* -p 50"')
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      '-A -f 7 -s rr -p 50',
      ...[101, 102, 103].map(last => `-A -t 10.0.0.${last}:80 -s rr -p 50`),
      '-A -t 10.0.0.104:80 -s rr -p 50 -M 255.255.255.0',
    ])
  })
})
