import { expect, it } from 'vitest'
import { aCheck, aDirector, aServer, aService } from './examples.ts'
import { checkUpBound, firstDownBound, serverDownBound } from './health-check.ts'
import { withHeldBack } from './refusals.ts'
import type { HealthCheck, RealServer } from './types.ts'

const udp = (requireReply: boolean, changes: Partial<HealthCheck> = {}): HealthCheck =>
  aCheck({ type: 'UDP_CHECK', udp: { requireReply, minReplyLength: 0, maxReplyLength: 255 }, ...changes })
const dns = aCheck({ type: 'DNS_CHECK' })

/** The servers of two services of one director, marked. */
const marked = (first: RealServer, second: RealServer, answersAll = false): RealServer[] => {
  const services = [first, second].map(server => aService({ realServers: [server] }))
  const config = withHeldBack({ ...aDirector('d1'), services }, () => answersAll)
  return config.services.flatMap(service => service.realServers)
}
const heldBack = (...servers: Parameters<typeof marked>): boolean[] =>
  marked(...servers).flatMap(server => server.checks.map(check => check.udp?.refusalsHeldBack === true))

it('marks a UDP_CHECK without a reply whose server is asked over UDP by another check as well', () => {
  const [one, other] = ['10.0.0.11', '10.0.0.12']
  const silent = aServer(one, { checks: [udp(false)] })
  expect(heldBack(silent, aServer(one, { checks: [dns] }))).toEqual([true, false])
  expect(heldBack(silent, aServer(one, { checks: [udp(true)] }))).toEqual([true, false])
  expect(heldBack(silent, silent)).toEqual([true, true])
  expect(heldBack(silent, aServer(other, { checks: [udp(false)] }))).toEqual([false, false])
  expect(heldBack(silent, aServer(one, { checks: [aCheck()] }))).toEqual([false, false])
  const elsewhere = aServer(other, { checks: [udp(false, { target: { address: one } })] })
  expect(heldBack(silent, elsewhere)).toEqual([true, true])
  expect(heldBack(silent, silent, true)).toEqual([false, false])
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
