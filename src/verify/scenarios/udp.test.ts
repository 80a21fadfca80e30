import { expect, it } from 'vitest'
import {
  callsOf,
  type Change,
  changedPlan,
  checkOf,
  persistent,
  same,
  scenarioNames,
  scenarioOf,
  udpPlan,
  whyUntested,
} from '../testing.ts'

const SERVICE = '10.0.0.100:80/UDP'
const UDP_CHECK = 'UDP_CHECK {\nrequire_reply 72\nretry 1\n}'
const checkedBy =
  (check: string): Change =>
  text =>
    text.replaceAll(/HTTP_GET \{.*?url \{.*?\}.*?\}/gs, check)

it('is asked by datagrams, each from a port of its own', async () => {
  expect(await callsOf(udpPlan(same), `shares-${SERVICE}`)).toEqual([
    ['udp', { client: 'c1', target: '10.0.0.100:80', newPorts: true, probe: 'clients', rate: 20, count: 100 }],
  ])
})

it('loses a real server by a crash of what listens there', async () => {
  const plan = udpPlan(checkedBy(UDP_CHECK))
  const name = `server-${SERVICE}-rs1:80`
  expect(checkOf(scenarioOf(plan, name), name)).toMatchObject({
    title: `rs1 leaves ${SERVICE} when its UDP server crashes, and comes back when it returns`,
    params: { fault: 'listener-crash' },
  })
  expect(await callsOf(plan, name)).toContainEqual([
    'inject',
    'listener-crash',
    'rs1',
    { protocol: 'udp', ports: [80] },
  ])
})

it('is judged by those checks alone that ask its own port by UDP', () => {
  const without = (check: string) => whyUntested(udpPlan(checkedBy(check)), `removal and return of rs1 (${SERVICE})`)
  expect(without('TCP_CHECK {\n}')).toBe(
    'TCP_CHECK of rs1 does not ask port 80 by UDP: whether it sees that its UDP server crashes is not known; a UDP_CHECK of that port would see it',
  )
  expect(without('UDP_CHECK {\nconnect_port 81\nrequire_reply 72\n}')).toContain('does not ask port 80 by UDP')
  expect(without('UDP_CHECK {\nconnect_ip 10.0.0.99\nrequire_reply 72\n}')).toContain('does not ask port 80')
  expect(without('UDP_CHECK {\n}\nUDP_CHECK {\n}')).toBeUndefined()
  const often = 'UDP_CHECK {\ndelay_loop 1\nretry 3\n}'
  expect(without(`${often}\n${often}`)).toContain(
    'sysctls: { net.ipv4.icmp_ratelimit: 0 } of the node in topology.yaml lifts that',
  )
  expect(without('PING_CHECK {\n}')).toContain('a ping does not see that its UDP server crashes')
  expect(without(`PING_CHECK {\n}\n${UDP_CHECK}`)).toBeUndefined()
  // DR does not rewrite the port, and keepalived asks the one that is written
  const written: Change = text => checkedBy(UDP_CHECK)(text).replaceAll(/(real_server \S+) 80/g, '$1 5353')
  expect(whyUntested(udpPlan(written), `removal and return of rs1 (${SERVICE})`)).toContain('does not ask port 80')
})

it('is back when every check passes that asks its port: one program may have both protocols', () => {
  const bounds = (check: string) =>
    checkOf(scenarioOf(udpPlan(checkedBy(check)), `server-${SERVICE}-rs1:80`), `server-${SERVICE}-rs1:80`).params
  const [alone, beside, elsewhere] = [
    bounds(UDP_CHECK),
    bounds(`TCP_CHECK {\ndelay_loop 60\n}\n${UDP_CHECK}`),
    bounds(`TCP_CHECK {\ndelay_loop 60\nconnect_port 81\n}\n${UDP_CHECK}`),
  ]
  expect(beside).toMatchObject({ downBound: (alone as { downBound: object }).downBound, upBound: { maxMs: 60_000 } })
  expect(elsewhere).toEqual(alone)
})

it('of HTTP is not judged by what asks by UDP', () => {
  const plan = changedPlan(checkedBy(UDP_CHECK))
  expect(whyUntested(plan, 'removal and return of rs1 (10.0.0.100:80/TCP)')).toBe(
    'UDP_CHECK of rs1 does not ask port 80 by TCP: whether it sees that its httpd crashes is not known; a TCP_CHECK of that port would see it',
  )
})

it('has no sorry server on the directors: what answers datagrams was there before the VIP', () => {
  const plan = udpPlan(checkedBy(UDP_CHECK))
  expect(whyUntested(plan, `sorry server of ${SERVICE}`)).toBe(
    'what answers datagrams on a director was started before the VIP was there: one on a host of its own is tried',
  )
  expect(scenarioNames(plan)).not.toContain(`sorry-${SERVICE}`)
})

it('lets go of a client when the entry of its last datagram is gone', () => {
  const bound = (lines: string, globals = '') => {
    const plan = udpPlan(persistent(lines), text => globals + text)
    return checkOf(scenarioOf(plan, `release-${SERVICE}`), `release-${SERVICE}`).params
  }
  expect(bound('persistence_timeout 50')).toMatchObject({ bound: { minMs: 350_000, maxMs: 393_750 } })
  expect(bound('persistence_timeout 50', 'global_defs {\nlvs_timeouts udp 30\n}\n')).toMatchObject({
    bound: { minMs: 50_000, maxMs: 56_250 },
  })
  // no entry outlives its datagram
  expect(bound('persistence_timeout 50\nops')).toMatchObject({ bound: { minMs: 50_000, maxMs: 56_250 } })
})

it('is waited for by its pool alone: a port of UDP cannot be connected to', () => {
  const titles = udpPlan(same).readiness.map(({ title }) => title)
  expect(titles).toContain('UDP 10.0.0.100:80 on d1 has rs1, rs2')
  expect(titles.filter(title => title.includes('answers d1'))).toEqual([])
})

it('of a large configuration is shared out, and not broken', () => {
  const http = (port: number): string =>
    `virtual_server 10.0.0.100 ${port} {\nprotocol TCP\nlb_algo rr\nlb_kind DR\n${[10, 20]
      .map(n => `real_server 10.0.0.${n} ${port} {\nHTTP_GET {\nurl {\npath /\n}\n}\n}\n`)
      .join('')}}\n`
  const more = Array.from({ length: 16 }, (_, n) => http(8081 + n)).join('')
  const plan = udpPlan(text => checkedBy(UDP_CHECK)(text) + more)
  const names = scenarioNames(plan)
  expect(names).toContain('shares-of-all')
  expect(whyUntested(plan, `removal and return of the real servers of ${SERVICE}`)).toBe(
    'of a large configuration only what httpd serves is broken',
  )
})
