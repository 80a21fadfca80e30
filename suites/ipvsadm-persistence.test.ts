import { expect } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { TCP_TIMEOUTS } from '../src/model/ipvs-defaults.ts'
import { clientGroup, releaseBound, templateHolds } from '../src/model/persistence.ts'
import type { Bound } from '../src/model/types.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { requests, run } from './steps.ts'

/** The three kinds of persistence, by `ipvsadm` alone. */

const test = labTest('topologies/ipvsadm-gateway')

const VIP = '172.16.100.1'
const RS1 = '172.16.100.10'
const RS2 = '172.16.100.11'

/** Both real servers behind a service, in the words of ipvsadm. */
const service = (name: string, options: string, weights: [number, number] = [2, 2]): string =>
  [
    `ipvsadm -A ${name} ${options}`,
    `ipvsadm -a ${name} -r ${RS1} -g -w ${weights[0]}`,
    `ipvsadm -a ${name} -r ${RS2} -g -w ${weights[1]}`,
  ].join('\n')

/** The table is this and nothing else. */
const balance = (lab: Lab, ...services: string[]) => run(lab, 'd1', ['set -e', 'ipvsadm -C', ...services].join('\n'))

/** Who answered one request of each client, in their order, or what became of it. */
const ask = async (lab: Lab, port: number, sources: string[]): Promise<string[]> => {
  const probe = `port-${port}-${await lab.now()}`
  const url = `${port === 443 ? 'https' : 'http'}://${VIP}:${port}/`
  await (await lab.http({ probe, client: 'c1', url, rate: 20, sources, count: sources.length })).ended()
  return requests(lab, probe).map(({ server, outcome }) => server ?? outcome)
}

/** The first client asks last: where each port has a round of its own, everybody meets another server than before. */
const turn = <T>([first, ...rest]: T[]): T[] => (first === undefined ? [] : [...rest, first])
const turnBack = <T>(list: T[]): T[] => [...list.slice(-1), ...list.slice(0, -1)]

interface Template {
  client: string
  /** `172.16.100.1:80`, `172.16.100.1:0` for all ports, `0.0.0.8:0` for mark 8. */
  virtual: string
  /** s, as ipvsadm counts down */
  left: number
}

/** The templates of d1: entries of a client without a port. */
const templates = async (lab: Lab): Promise<Template[]> =>
  (await run(lab, 'd1', 'ipvsadm -Lnc')).stdout.split('\n').flatMap(line => {
    const [, expire = '', , source = '', virtual = ''] = line.trim().split(/\s+/)
    const [client = '', port] = source.split(':')
    const [minutes = Number.NaN, seconds = Number.NaN] = expire.split(':').map(Number)
    return port === '0' ? [{ client, virtual, left: minutes * 60 + seconds }] : []
  })

/** Every client has one template of the service, which has only begun. */
const expectTemplates = async (lab: Lab, virtual: string, clients: string[], seconds: number): Promise<void> => {
  const found = await templates(lab)
  expect(found.map(one => one.client).toSorted()).toEqual(clients.toSorted())
  for (const template of found) {
    expect(template.virtual).toBe(virtual)
    expect(template.left).toBeLessThanOrEqual(seconds)
    expect(template.left).toBeGreaterThan(seconds - 10)
  }
}

/** The only template is there until its bound begins, and gone when it ends. */
const expectReleased = async (lab: Lab, asked: number, { minMs = 0, maxMs, formula }: Bound): Promise<void> => {
  await lab.at(asked + minMs - 2_000, () => lab.mark('the template is about to go'))
  expect(await templates(lab), formula).toHaveLength(1)
  await lab.at(asked + maxMs, () => lab.mark('the template is gone'))
  expect(await templates(lab), formula).toEqual([])
}

test('of one port: a client stays with its server there, and meets another one on another port', async ({ lab }) => {
  const clients = await lab.addSources('c1', { count: 4 })
  await balance(lab, service(`-t ${VIP}:80`, '-s rr -p 3600'), service(`-t ${VIP}:8080`, '-s rr -p 3600'))
  const servers = await ask(lab, 80, clients)
  expect(servers.toSorted()).toEqual(['rs1', 'rs1', 'rs2', 'rs2'])
  await expectTemplates(lab, `${VIP}:80`, clients, 3600)
  expect(await ask(lab, 80, turn(clients))).toEqual(turn(servers))
  const elsewhere = turnBack(await ask(lab, 8080, turn(clients)))
  clients.forEach((_, n) => expect(elsewhere[n]).not.toBe(servers[n]))
  // on that port they stay with that one
  expect(await ask(lab, 8080, clients)).toEqual(elsewhere)
})

test('of port 0: a client has one server, whatever it asks for', async ({ lab }) => {
  const clients = await lab.addSources('c1', { count: 4 })
  const refused = await lab.exec('d1', ['ipvsadm', '-A', '-t', `${VIP}:0`, '-s', 'rr'])
  expect(refused).toMatchObject({ code: 2, stderr: 'Zero port specified for non-persistent service\n' })
  await balance(lab, service(`-t ${VIP}:0`, '-s rr -p 3600'))
  const servers = await ask(lab, 80, clients)
  expect(servers.toSorted()).toEqual(['rs1', 'rs1', 'rs2', 'rs2'])
  await expectTemplates(lab, `${VIP}:0`, clients, 3600)
  for (const port of [80, 443, 8080]) expect(await ask(lab, port, turn(clients))).toEqual(turn(servers))
})

const MARK = ['80', '443']
  .map(port => `iptables -t mangle -A PREROUTING -d ${VIP} -i eth0 -p tcp --dport ${port} -j MARK --set-mark 8`)
  .join('\n')

test('of a mark: 80 and 443 have one server, and other services are left alone', async ({ lab }) => {
  const clients = await lab.addSources('c1', { count: 4 })
  await balance(lab, service('-f 8', '-s rr -p 600', [2, 1]), service(`-t ${VIP}:8080`, '-s rr'), MARK)
  const servers = await ask(lab, 80, clients)
  // rr does not look at weights
  expect(servers.toSorted()).toEqual(['rs1', 'rs1', 'rs2', 'rs2'])
  await expectTemplates(lab, '0.0.0.8:0', clients, 600)
  for (const port of [443, 80]) expect(await ask(lab, port, turn(clients))).toEqual(turn(servers))
  const [client = ''] = clients
  expect((await ask(lab, 8080, Array(4).fill(client))).toSorted()).toEqual(['rs1', 'rs1', 'rs2', 'rs2'])

  // wrr does
  await balance(lab, service('-f 8', '-s wrr -p 600', [2, 1]))
  const others = await lab.addSources('c1', { count: 6 })
  expect((await ask(lab, 443, others)).toSorted()).toEqual(['rs1', 'rs1', 'rs1', 'rs1', 'rs2', 'rs2'])

  // without the mark nobody is balanced
  await run(lab, 'd1', 'iptables -t mangle -F PREROUTING')
  expect(await ask(lab, 443, [client])).toEqual(['refused'])
  await run(lab, 'd1', MARK)
  expect(['rs1', 'rs2']).toContain((await ask(lab, 443, [client]))[0])
})

test('of a part of the address (-M): clients of one network share a template', async ({ lab }) => {
  const clients = await lab.addSources('c1', { count: 10 })
  const prefix = 30
  await balance(lab, service(`-t ${VIP}:80`, '-s rr -p 3600 -M 255.255.255.252'))
  const servers = await ask(lab, 80, clients)
  const networks = [...new Set(clients.map(client => clientGroup(client, prefix)))]
  await expectTemplates(lab, `${VIP}:80`, networks, 3600)
  // rr goes on with each network, not with each client
  const byTurns = [...new Set(servers)]
  expect(byTurns.toSorted()).toEqual(['rs1', 'rs2'])
  expect(servers).toEqual(clients.map(client => byTurns[networks.indexOf(clientGroup(client, prefix)) % 2]))
  expect(await ask(lab, 80, turn(clients))).toEqual(turn(servers))
})

test('a template holds while its server is in the table, with weight 0 too unless a sysctl says otherwise', async ({
  lab,
}) => {
  const clients = await lab.addSources('c1', { count: 6 })
  const edits = [
    { edit: (server: string) => `ipvsadm -e -t ${VIP}:80 -r ${server} -g -w 0`, left: { inTable: true, weight: 0 } },
    { edit: (server: string) => `ipvsadm -e -t ${VIP}:80 -r ${server} -g -w 1`, left: { inTable: true, weight: 1 } },
    { edit: (server: string) => `ipvsadm -d -t ${VIP}:80 -r ${server}`, left: { inTable: false, weight: 0 } },
  ]
  for (const expire of [0, 1])
    for (const { edit, left } of edits) {
      const client = clients.shift() ?? ''
      await balance(lab, service(`-t ${VIP}:80`, '-s rr -p 3600'))
      await run(lab, 'd1', `sysctl -w net.ipv4.vs.expire_quiescent_template=${expire}`)
      const [server] = await ask(lab, 80, [client])
      await run(lab, 'd1', edit(server === 'rs1' ? RS1 : RS2))
      const other = server === 'rs1' ? 'rs2' : 'rs1'
      // twice: by turns alone the second one would meet the server of the template again
      const expected = templateHolds(left, { expire_quiescent_template: expire }) ? server : other
      expect(await ask(lab, 80, [client, client]), `${edit('')}, ${expire}`).toEqual([expected, expected])
    }
})

test('without a number it is 360 s, and then the client is free', { meta: { labTime: 480 } }, async ({ lab }) => {
  const clients = await lab.addSources('c1', { count: 1 })
  await balance(lab, service(`-t ${VIP}:80`, '-s rr -p'))
  expect((await run(lab, 'd1', 'ipvsadm-save -n')).stdout).toMatch(/-A -t 172\.16\.100\.1:80 -s rr -p 360$/m)
  const [server] = await ask(lab, 80, clients)
  const asked = await lab.now()
  await expectTemplates(lab, `${VIP}:80`, clients, 360)
  await expectReleased(lab, asked, releaseBound(360_000, TCP_TIMEOUTS.FIN_WAIT))
  expect(await ask(lab, 80, clients)).not.toEqual([server])
})

test('it runs out: counted from the last new connection, then the client is free', async ({ lab }) => {
  const [timeout, lastEntry] = [20_000, 5_000]
  const [client = '', other = ''] = await lab.addSources('c1', { count: 2 })
  // the entry of a connection outlives it by 5 s, not 120: it does not put the template off
  await balance(
    lab,
    `ipvsadm --set 0 ${lastEntry / 1000} 0`,
    service(`-t ${VIP}:0`, `-s rr -p ${timeout / 1000}`, [2, 2]),
  )
  const [server = ''] = await ask(lab, 80, [client])
  await lab.sleep(timeout / 2)
  expect(await ask(lab, 8080, [client])).toEqual([server])
  const asked = await lab.now()
  await expectReleased(lab, asked, releaseBound(timeout, lastEntry))
  // rr goes on with the other server
  expect(await ask(lab, 8080, [client])).not.toEqual([server])
  expect(await ask(lab, 8080, [other])).toEqual([server])
})
