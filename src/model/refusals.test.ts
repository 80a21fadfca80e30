import { expect, it } from 'vitest'
import { aCheck, aDirector, aServer, aService } from './examples.ts'
import { checkUpBound, firstDownBound, serverDownBound } from './health-check.ts'
import { withHeldBack } from './refusals.ts'
import type { HealthCheck, RealServer } from './types.ts'

const udp = (requireReply: boolean, changes: Partial<HealthCheck> = {}): HealthCheck =>
  aCheck({ type: 'UDP_CHECK', udp: { requireReply, minReplyLength: 0, maxReplyLength: 255 }, ...changes })
const dns = aCheck({ type: 'DNS_CHECK' })

/** The servers of two services of one director, marked. */
const marked = (
  first: RealServer,
  second: RealServer,
  answersAll = false,
  machines: Record<string, string> = {},
): RealServer[] => {
  const services = [first, second].map(server => aService({ realServers: [server] }))
  const config = withHeldBack({ ...aDirector('d1'), services }, node => ({ node: machines[node] ?? node, answersAll }))
  return config.services.flatMap(service => service.realServers)
}
const heldBack = (...servers: Parameters<typeof marked>): boolean[] =>
  marked(...servers).flatMap(server => server.checks.map(check => check.udp?.refusalsHeldBack === true))

const often = { delayLoop: 1000, retry: 3 }

it('marks a UDP_CHECK without a reply whose server is asked more often over UDP than its kernel answers', () => {
  const [one, other] = ['10.0.0.11', '10.0.0.12']
  const [fast, rare] = [often, {}].map(changes => aServer(one, { checks: [udp(false, changes)] })) as [
    RealServer,
    RealServer,
  ]
  expect(heldBack(fast, aServer(one, { checks: [aCheck({ ...dns, ...often })] }))).toEqual([true, false])
  expect(heldBack(fast, aServer(one, { checks: [udp(true, often)] }))).toEqual([true, false])
  expect(heldBack(fast, fast)).toEqual([true, true])
  expect(heldBack(fast, rare)).toEqual([true, true])
  expect(heldBack(rare, rare)).toEqual([false, false])
  expect(heldBack(fast, aServer(other, { checks: [udp(false, often)] }))).toEqual([false, false])
  expect(heldBack(fast, aServer(one, { checks: [aCheck(often)] }))).toEqual([false, false])
  const elsewhere = aServer(other, { checks: [udp(false, { ...often, target: { address: one } })] })
  expect(heldBack(fast, elsewhere)).toEqual([true, true])
  expect(heldBack(fast, fast, true)).toEqual([false, false])
  // one machine has one limit, whatever its addresses
  const another = aServer(other, { checks: [udp(false, often)] })
  expect(heldBack(fast, another, false, { [one]: 'rs1', [other]: 'rs1' })).toEqual([true, true])
})

it.each([
  // 6 at once, then 1 a second
  [{ delayLoop: 2000, retry: 2, delayBeforeRetry: 10 }, false],
  [{ delayLoop: 2000, retry: 3, delayBeforeRetry: 10 }, true],
  [{ delayLoop: 2000, retry: 3, delayBeforeRetry: 2000 }, false],
  [{ delayLoop: 2000, retry: 60, delayBeforeRetry: 1900 }, true],
  [{ delayLoop: 2000, retry: 60, delayBeforeRetry: 2500 }, false],
  // many at once, though few in the long run
  [{ delayLoop: 60_000, retry: 3, delayBeforeRetry: 500 }, true],
  [{ delayLoop: 60_000, retry: 3, delayBeforeRetry: 1000 }, false],
  [{ delayLoop: 60_000, retry: 0, delayBeforeRetry: 1 }, false],
  [{ delayLoop: 60_000, retry: 2, delayBeforeRetry: 0 }, false],
  [{ delayLoop: 10_000, retry: 60, delayBeforeRetry: 11_000 }, false],
  [{ delayLoop: 10_000, retry: 60, delayBeforeRetry: 10_000 }, false],
  [{ delayLoop: 1999, retry: 0, delayBeforeRetry: 10 }, true],
])('of two checks with %o some are held back: %s', (changes, expected) => {
  const server = aServer('10.0.0.11', { checks: [udp(false, changes)] })
  expect(heldBack(server, server)).toEqual([expected, expected])
})

it('marks one check that asks more than once a second', () => {
  const server = aServer('10.0.0.11', { checks: [udp(false, { delayLoop: 900 })] })
  expect(heldBack(server, aServer('10.0.0.12'))).toEqual([true, false])
})

it('leaves such a check without a bound for a refusal; another one of the server still has its own', () => {
  const check = {
    ...udp(false),
    udp: { ...(udp(false).udp as NonNullable<HealthCheck['udp']>), refusalsHeldBack: true as const },
  }
  expect(serverDownBound(aServer('10.0.0.11', { checks: [check] }), 'refused')).toBeUndefined()
  expect(firstDownBound(check, 'refused')).toBeUndefined()
  expect(serverDownBound(aServer('10.0.0.11', { checks: [check, aCheck()] }), 'refused')).toBeDefined()
  // it may have seen the refusal, and must pass again
  expect(checkUpBound(check, 'refused', '2.3')).toBeDefined()
})
