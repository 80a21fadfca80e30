import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { readDirector } from '../src/config/keepalived/director.ts'
import { activeDestinations, eventsOf, lastFault, tablesOf } from '../src/history/queries.ts'
import { fromFault } from '../src/judge/limit.ts'
import type { Lab } from '../src/lab/lab.ts'
import { serverDownBound, type ServerFailure } from '../src/model/health-check.ts'
import type { Bound } from '../src/model/types.ts'
import { preemptBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import type { Plan } from '../src/verify/plan.ts'
import { PATIENCE_MS, SLACK_MS } from '../src/verify/scenario.ts'
import { directorOf, linesOf, requests, restartWith, run, testConfiguration, values, write } from './steps.ts'
import { captured, outcomesOnce } from './traffic.ts'

const dir = 'topologies/keepalived-two-pools'
const test = labTest(dir)

const VIP = '10.0.1.100'
const SERVICE = `TCP ${VIP}:80`
const RS1 = { node: 'rs1', address: '10.0.1.103', port: 80 }
const BOTH = ['10.0.1.103:80', '10.0.1.104:80']
const OTHER = ['10.0.1.104:80']
const LOG = '/var/log/keepalived.log'
const script = '/etc/init.d/lvsrsdr'

/** One request of each of so many clients; new ones where none are named. */
const ask = async (lab: Lab, probe: string, sources?: string[]): Promise<string[]> => {
  const from = sources ?? (await lab.addSources('c1', { count: 4 }))
  const options = { client: 'c1', url: `http://${VIP}/`, rate: 20, sources: from, count: from.length }
  await (await lab.http({ probe, ...options })).ended()
  return outcomesOnce(lab, probe)
}

const untilPool = async (lab: Lab, node: string, destinations: string[], bound: Bound): Promise<void> => {
  const condition = { kind: 'pool', node, service: SERVICE, destinations } as const
  expect(await lab.until(condition, bound.maxMs + PATIENCE_MS), bound.formula).toBe(true)
}

/** How long rs1 may be in the table of a director after a failure. */
const downBound = (plan: Plan, director: string, failure: ServerFailure): Bound => {
  const [service] = directorOf(plan, director).services
  const server = service?.realServers.find(one => one.address === RS1.address)
  const bound = server && serverDownBound(server, failure)
  if (!bound) throw new Error('no bound is known for the health check of rs1')
  return bound
}

const addressesOfLo = async (lab: Lab): Promise<string> => (await run(lab, 'rs1', 'ip -o address show dev lo')).stdout

/** Where d1 sends the connections of the first service, in each table since a moment. */
const poolsSince = (lab: Lab, t: number): string[] =>
  tablesOf(lab.history, 'd1')
    .filter(table => table.t >= t)
    .map(table =>
      (activeDestinations(table, SERVICE) ?? [])
        .map(one => `${one.address}:${one.port}`)
        .sort()
        .join(),
    )

describe('the script of the real servers', () => {
  test('does nothing on stop, as its label is Stop', async ({ lab }) => {
    const stop = await lab.exec('rs1', [script, 'stop'], { record: true })
    expect({ code: stop.code, said: stop.stdout.trim() }).toEqual({ code: 1, said: `Usage:${script} {start|stop}` })
    expect(await addressesOfLo(lab)).toContain(VIP)
    expect(await ask(lab, 'clients')).toEqual(['rs1', 'rs2'])
  })

  test('takes the VIP away once its label is right: TCP_CHECK stays green, clients time out', async ({
    lab,
    plan,
    vip,
  }) => {
    const down = downBound(plan, 'd1', 'refused')
    const sources = await lab.addSources('c1', { count: 4 })
    expect(await ask(lab, 'before', sources)).toEqual(['rs1', 'rs2'])
    const stopped = await lab.mark('rs1 loses the VIP')
    await run(lab, 'rs1', `sed -i 's/^Stop)/stop)/' ${script} && ${script} stop`)
    expect(await addressesOfLo(lab)).not.toContain(VIP)

    await lab.sleep(downBound(plan, 'd1', 'silent').maxMs + PATIENCE_MS)
    await ask(lab, 'without the VIP', sources)
    await lab.snapshot()
    // each has its server by the template
    const fates = (probe: string) => requests(lab, probe).map(one => [one.source, one.server ?? one.outcome])
    const promised = fates('before').map(([source, server]) => [source, server === 'rs1' ? 'timeout' : server])
    expect(fates('without the VIP')).toEqual(promised)
    expect(values(poolsSince(lab, stopped))).toEqual([BOTH.join()])
    const complaints = eventsOf(lab.history, 'keepalived').filter(
      one => one.t > stopped && one.checker?.result === 'down',
    )
    expect(complaints).toEqual([])

    await run(lab, 'rs1', `${script} start`)
    await ask(lab, 'with the VIP', sources)
    expect(fates('with the VIP')).toEqual(fates('before'))

    // stopped along with its web server it is missed
    await run(lab, 'rs1', `${script} stop`)
    const heal = await lab.inject('httpd-stop', 'rs1')
    await untilPool(lab, 'd1', OTHER, down)
    expect(await ask(lab, 'out of the pool', sources)).toEqual(['rs2'])
    expect(lab.history).toRemoveServerWithin(down, { vip, service: SERVICE, server: RS1, fault: 'httpd-stop' })
    await run(lab, 'rs1', `${script} start`)
    await heal()
  })
})

describe('DR cannot map ports', () => {
  /** The web server of rs1 on another port. */
  const listen = (lab: Lab, from: number, to: number) =>
    run(
      lab,
      'rs1',
      `sed -i 's/^Listen ${from}$/Listen ${to}/; s/:${from}>/:${to}>/' /etc/apache2/ports.conf /etc/apache2/sites-enabled/*
      /usr/lib/lvslab/service httpd stop
      /usr/lib/lvslab/service httpd start`,
    )

  test('keepalived takes the port of the service: a check of the other port stays green, clients are refused', async ({
    lab,
    plan,
  }) => {
    await listen(lab, 80, 8080)
    expect((await run(lab, 'c1', 'curl -sS -m 3 http://10.0.1.103:8080/')).stdout).toMatch(/^rs1/)
    const reloaded = lab.until({ kind: 'line', node: 'd1', file: LOG, match: 'Reload complete' }, 5_000)
    const change = 's/10.0.1.103 80 /10.0.1.103 8080 /; /10.0.1.103/,/}/s/TCP_CHECK {/&\\n connect_port 8080/'
    const start = await lab.mark('port 8080 in the configuration')
    await run(
      lab,
      'd1',
      `sed -i '${change}' /etc/keepalived/conf.d/services.conf && kill -HUP $(cat /run/keepalived.pid)`,
    )
    expect(await reloaded).toBe(true)
    const said = `virtual server [${VIP}]:tcp:80 and real server [10.0.1.103]:tcp:8080 ports don't match - resetting`
    expect(linesOf(lab, 'd1')).toContainEqual(expect.stringContaining(said))

    await lab.sleep(downBound(plan, 'd1', 'refused').maxMs + PATIENCE_MS)
    await lab.snapshot()
    expect(values(poolsSince(lab, start))).toEqual([BOTH.join()])
    const sources = await lab.addSources('c1', { count: 4 })
    expect(await ask(lab, 'mapped', sources)).toEqual(['refused', 'rs2'])
    await listen(lab, 8080, 80)
    expect(await ask(lab, 'the same port', sources)).toEqual(['rs1', 'rs2'])
  })

  test('ipvsadm does so without a word; behind a firewall mark the port stands in the table, and nobody minds it', async ({
    lab,
  }) => {
    await run(
      lab,
      'd1',
      `set -e
      ipvsadm -A -t ${VIP}:81 -s rr
      ipvsadm -a -t ${VIP}:81 -r 10.0.1.103:8080 -g
      ipvsadm -A -f 7 -s rr
      ipvsadm -a -f 7 -r 10.0.1.103:8080 -g
      iptables -t mangle -A PREROUTING -d ${VIP} -p tcp --dport 80 -j MARK --set-mark 7`,
    )
    const { stdout } = await run(lab, 'd1', 'ipvsadm-save -n')
    expect(stdout).toMatch(/^-a -t 10\.0\.1\.100:81 -r 10\.0\.1\.103:81 -g/m)
    expect(stdout).toMatch(/^-a -f 7 -r 10\.0\.1\.103:8080 -g/m)

    await listen(lab, 80, 8080)
    const stop = await lab.capture({
      capture: 'arrives',
      node: 'rs1',
      device: 'eth0',
      filter: `tcp and dst host ${VIP}`,
    })
    expect(await ask(lab, 'marked')).toEqual(['refused'])
    await stop()
    expect(values(captured(lab, 'arrives').map(one => one.destinationPort))).toEqual(['80'])

    await listen(lab, 8080, 80)
    expect(await ask(lab, 'the same port')).toEqual(['rs1'])
  })
})

describe("the MASTER's file as it was published", () => {
  const CONF = 'd1/etc/keepalived/keepalived.conf'
  const TYPED = '/etc/keepalived/as-typed.conf'
  const typed = readFileSync(path.join(dir, 'd1', TYPED), 'utf8')

  test('names no interface: keepalived ends', async ({ lab }) => {
    expect(() => readDirector({ node: 'd1', root: path.join(dir, 'd1'), file: TYPED })).toThrow('has no interface')
    await write(lab, 'd1', '/etc/keepalived/keepalived.conf', typed)
    const judged = await testConfiguration(lab, 'd1')
    expect(lab.history).not.toPass('configuration', judged)
    const ends = ['(VI_1) Unknown interface!', 'exited with permanent error CONFIG. Terminating']
    await run(lab, 'd1', 'service=/usr/lib/lvslab/service; $service keepalived stop; $service keepalived start')
    expect(await lab.until({ kind: 'process', node: 'd1', name: 'keepalived', present: false }, PATIENCE_MS)).toBe(true)
    for (const words of ends) expect(linesOf(lab, 'd1')).toContainEqual(expect.stringContaining(words))
  })

  const withInterface = typed.replace('state MASTER', 'state MASTER\ninterface eth0')

  test('with one, a real_server that is joined to its address is no real server: nobody is balanced', async ({
    lab,
  }) => {
    const asTyped = await restartWith(lab, dir, CONF, () => withInterface)
    expect(directorOf(asTyped, 'd1').services).toEqual([])
    expect(await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, 10_000)).toBe(true)
    for (const last of [103, 104, 105, 106])
      expect(linesOf(lab, 'd1')).toContainEqual(expect.stringContaining(`Unknown keyword 'real_server10.0.1.${last}'`))
    expect((await run(lab, 'd1', 'ipvsadm-save -n')).stdout).not.toContain('-a ')
    // the VIP is the director's own, and so is the web server that answers
    expect((await ask(lab, 'as typed')).filter(server => server.startsWith('rs'))).toEqual([])
    expect((await run(lab, 'c1', `curl -sS -m 3 http://${VIP}/`)).stdout).toContain('Apache')
  })

  test('with blanks too, nb_get_retry and nat_mask are ignored: one retry, not three', async ({ lab, plan, vip }) => {
    const change = () => withInterface.replaceAll('real_server10', 'real_server 10')
    const asTyped = await restartWith(lab, dir, CONF, change)
    const back = preemptBound(vip.master, vip.backup)
    if (!back) throw new Error('d1 does not come back')
    const patience = back.maxMs + PATIENCE_MS
    expect(await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, patience)).toBe(true)

    expect(lab.history).not.toPass('configuration', await testConfiguration(lab, 'd1'))
    for (const word of ['nb_get_retry', 'nat_mask'])
      expect(linesOf(lab, 'd1')).toContainEqual(expect.stringContaining(`Unknown keyword '${word}'`))

    // d2 has what was meant: both look at the same fault
    const down = downBound(asTyped, 'd1', 'silent')
    const meant = downBound(plan, 'd2', 'silent')
    const heal = await lab.inject('link-down', 'rs1')
    await untilPool(lab, 'd2', OTHER, meant)
    await lab.snapshot()
    await heal()
    expect(lab.history).toRemoveServerWithin(down, { vip, service: SERVICE, server: RS1, fault: 'link-down' })
    const fault = lastFault(lab.history, 'inject', 'link-down', 'rs1')
    const removed = tablesOf(lab.history, 'd2').find(
      table => fault && table.t > fault.t && activeDestinations(table, SERVICE)?.length === 1,
    )
    if (!fault || !removed) throw new Error('d2 did not remove rs1')
    expect(removed.t - fault.t).toBeGreaterThan(fromFault(lab.history, down, fault, SLACK_MS).maxMs)
    expect(removed.t - fault.t).toBeLessThanOrEqual(fromFault(lab.history, meant, fault, SLACK_MS).maxMs)
  })
})
