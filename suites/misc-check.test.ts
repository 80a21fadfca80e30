import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import type { CommandResult } from '../src/agent/protocol.ts'
import { activeDestinations, tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { serverDownBound, serverUpBound, type ServerFailure } from '../src/model/health-check.ts'
import type { Bound, VirtualService } from '../src/model/types.ts'
import { preemptBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { PATIENCE_MS } from '../src/verify/scenario.ts'
import { directorOf, restartWith, run, within } from './steps.ts'

/** FTP and telnet behind the pair of `keepalived-pair-rr`, which scripts of MISC_CHECK look into. */

const dir = 'topologies/keepalived-pair-rr'
const test = labTest(dir)

const VIP = '10.0.0.210'
const applications = readFileSync(path.join(dir, 'd1/etc/keepalived/applications.conf'), 'utf8')
const NAMES = { 21: 'FTP', 23: 'telnet' } as const
type Port = keyof typeof NAMES
const PORTS: Port[] = [21, 23]

const tableName = ({ address, port }: VirtualService): string => `TCP ${address}:${port}`
const keys = (service: VirtualService): string[] => service.realServers.map(one => `${one.address}:${one.port}`)

const whenPool = (lab: Lab, service: VirtualService, destinations: string[], after: number): number | undefined =>
  tablesOf(lab.history, 'd1').find(table => {
    const active = activeDestinations(table, tableName(service))?.map(one => `${one.address}:${one.port}`)
    return table.t >= after && active?.toSorted().join() === destinations.join()
  })?.t

/** What a client of the VIP is greeted with: the node's name is in it. */
const greetings = async (lab: Lab, port: Port): Promise<string[]> => {
  const ask = `socat -T 0.5 -u TCP:${VIP}:${port} STDOUT | tr -d '\\r\\377\\375\\030'; echo`
  const { stdout } = await run(lab, 'c1', `${ask}; ${ask}`)
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .toSorted()
}
const greeting: Record<Port, (node: string) => string> = { 21: node => `220 ${node}`, 23: node => `${node} login: ` }

/** What fails rs1, and what makes it well again. The brackets keep pkill from the shell that runs it. */
const failings: { failure: ServerFailure; inject: string; heal: string }[] = [
  {
    failure: 'refused',
    inject: 'pkill -KILL -f "socat [T]CP-LISTEN"',
    heal: '/usr/local/sbin/logins',
  },
  {
    failure: 'silent',
    inject: 'iptables -I INPUT -s 10.0.0.202 -j DROP',
    heal: 'iptables -D INPUT -s 10.0.0.202 -j DROP',
  },
  {
    failure: 'hanging',
    inject: 'pkill -STOP -f "socat [T]CP-LISTEN"',
    heal: 'pkill -CONT -f "socat [T]CP-LISTEN"',
  },
  // the port is open, and says that nobody may come in
  { failure: 'wrong-answer', inject: 'touch /run/wrong-answers', heal: 'rm /run/wrong-answers' },
]

test('a script logs in to FTP, another finds the prompt of telnet: a server that fails leaves, and returns', async ({
  lab,
  vip,
}) => {
  for (const node of ['rs1', 'rs2']) await run(lab, node, '/usr/local/sbin/logins')
  const plan = await restartWith(lab, dir, 'd1/etc/keepalived/conf.d/services.conf', text => `${text}\n${applications}`)
  const back = preemptBound(vip.master, vip.backup) as Bound
  await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2', 'd3'] }, back.maxMs + PATIENCE_MS)
  const services = PORTS.map(port => {
    const service = directorOf(plan, 'd1').services.find(one => one.port === port)
    const server = service?.realServers[0]
    if (!service || !server) throw new Error(`no service on port ${port}`)
    return { port, service, server, title: NAMES[port] }
  })
  const untilPool = async (destinations: (service: VirtualService) => string[], ms: number): Promise<void> => {
    const condition = (service: VirtualService) => ({
      ...({ kind: 'pool', node: 'd1' } as const),
      ...{ service: tableName(service), destinations: destinations(service) },
    })
    const met = await Promise.all(services.map(({ service }) => lab.until(condition(service), ms + PATIENCE_MS)))
    expect(met, services.map(({ service }) => destinations(service).join()).join('; ')).toEqual([true, true])
  }
  const expectIn = (
    cause: CommandResult,
    boundOf: typeof serverDownBound,
    failure: ServerFailure,
    pool: (service: VirtualService) => string[],
  ): void => {
    for (const { service, server, title } of services) {
      const bound = boundOf(server, failure)
      if (!bound) throw new Error(`no bound for ${failure}`)
      within(lab, `${title}, ${failure}`, cause, whenPool(lab, service, pool(service), cause.started), bound)
    }
  }
  const without = (service: VirtualService): string[] => keys(service).slice(1)
  const upBound: typeof serverDownBound = (server, failure) => serverUpBound(server, failure, plan.keepalived)
  const longest = (boundOf: typeof serverDownBound, failure: ServerFailure): number =>
    Math.max(...services.map(({ server }) => boundOf(server, failure)?.maxMs ?? 0))

  for (const { port } of services)
    expect(await greetings(lab, port)).toEqual([greeting[port]('rs1'), greeting[port]('rs2')])
  // of the first round one failure is enough
  await lab.sleep(2 * Math.max(...services.flatMap(({ server }) => server.checks.map(check => check.delayLoop))))
  for (const { failure, inject, heal } of failings) {
    const broken = await run(lab, 'rs1', inject)
    await untilPool(without, longest(serverDownBound, failure))
    expectIn(broken, serverDownBound, failure, without)
    if (failure === 'wrong-answer')
      for (const { port } of services)
        expect(await greetings(lab, port)).toEqual([greeting[port]('rs2'), greeting[port]('rs2')])
    const healed = await run(lab, 'rs1', heal)
    await untilPool(keys, longest(upBound, failure))
    expectIn(healed, upBound, failure, keys)
  }
  for (const { port } of services)
    expect(await greetings(lab, port)).toEqual([greeting[port]('rs1'), greeting[port]('rs2')])
})
