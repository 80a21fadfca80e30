import { expect, it } from 'vitest'
import type { Lab } from '../../lab/lab.ts'
import type { Plan } from '../plan.ts'
import { type Change, checkOf, persistent, same, scenarioNames, scenarioOf, udpPlan, whyUntested } from '../testing.ts'

const SERVICE = '10.0.0.100:80/UDP'
const UDP_CHECK = 'UDP_CHECK {\nrequire_reply 72\nretry 1\n}'
const checkedBy =
  (check: string): Change =>
  text =>
    text.replaceAll(/HTTP_GET \{.*?url \{.*?\}.*?\}/gs, check)

/** What a scenario has done to a lab. */
const done = async (plan: Plan, name: string): Promise<[string, ...unknown[]][]> => {
  const calls: [string, ...unknown[]][] = []
  const probe = { stop: async () => {}, ended: async () => {} }
  const lab = {
    udp: async (options: unknown) => (calls.push(['udp', options]), probe),
    inject: async (...args: unknown[]) => (calls.push(['inject', ...args]), async () => {}),
    sleep: async () => {},
    until: async () => true,
  }
  await scenarioOf(plan, name).drive(lab as unknown as Lab)
  return calls
}

it('is asked by datagrams, each from a port of its own', async () => {
  expect(await done(udpPlan(same), `shares-${SERVICE}`)).toEqual([
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
  expect(await done(plan, name)).toContainEqual(['inject', 'listener-crash', 'rs1', { protocol: 'udp', ports: [80] }])
})

it('is judged by those checks alone that ask its own port by UDP', () => {
  const without = (check: string) => whyUntested(udpPlan(checkedBy(check)), `removal and return of rs1 (${SERVICE})`)
  expect(without('TCP_CHECK {\n}')).toBe(
    'TCP_CHECK of rs1 sends no datagram to port 80: whether it sees that its UDP server crashes is not known',
  )
  expect(without('UDP_CHECK {\nconnect_port 81\nrequire_reply 72\n}')).toContain('sends no datagram to port 80')
  expect(without(`PING_CHECK {\n}\n${UDP_CHECK}`)).toBeUndefined()
  // what a TCP_CHECK waits for has no part in it
  const bounds = (check: string) =>
    checkOf(scenarioOf(udpPlan(checkedBy(check)), `server-${SERVICE}-rs1:80`), `server-${SERVICE}-rs1:80`).params
  expect(bounds(`TCP_CHECK {\ndelay_loop 60\n}\n${UDP_CHECK}`)).toEqual(bounds(UDP_CHECK))
})

it('has no sorry server on the directors: what answers datagrams there is not known', () => {
  const plan = udpPlan(checkedBy(UDP_CHECK))
  expect(whyUntested(plan, `sorry server of ${SERVICE}`)).toBe('nothing says that d1 or d2 speaks udp on port 80')
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
