import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aCheck, aServer, aService } from './examples.ts'
import { seconds } from './bound.ts'
import {
  checkDownBound,
  checkUpBound,
  dynamicWeight,
  firstDownBound,
  firstUpBound,
  type ServerFailure,
  serverDownBound,
  serverUpBound,
  sorryBound,
  sorryEndsBound,
} from './health-check.ts'
import type { HealthCheck } from './types.ts'

const tcp = aCheck({ delayLoop: 2000, retry: 2 })
const http = aCheck({
  type: 'HTTP_GET',
  delayLoop: 2000,
  delayBeforeRetry: 3000,
  urls: [{ path: '/' }, { path: '/a' }, { path: '/b' }],
})

describe('down', () => {
  it('waits for the next check and the retries, and for the timeouts of a silent server', () => {
    expect(checkDownBound(tcp, 'refused')).toMatchObject({
      formula: 'delay_loop 2 s + 2 x delay_before_retry 1 s = 4 s',
      maxMs: 4000,
    })
    expect(checkDownBound(tcp, 'silent')).toMatchObject({
      formula: 'delay_loop 2 s + 3 x connect_timeout 5 s + 2 x delay_before_retry 1 s = 19 s',
      maxMs: 19_000,
    })
    expect(checkDownBound(aCheck({ retry: 0, delayLoop: 1000 }), 'refused')?.formula).toBe('delay_loop 1 s = 1 s')
  })

  it('fails on any URL when the server is gone, but has to come round to a single bad one', () => {
    expect(checkDownBound(http, 'refused')?.maxMs).toBe(5000)
    expect(checkDownBound(http, 'one-url')?.maxMs).toBe(9000)
  })

  it('takes the fastest check of a server, and none where there is no rule', () => {
    expect(serverDownBound(aServer('10.0.0.11', { checks: [http, tcp] }), 'refused')?.maxMs).toBe(4000)
    expect(serverDownBound(aServer('10.0.0.11', { checks: [] }), 'refused')).toBeUndefined()
    expect(checkDownBound(aCheck({ type: 'OTHER', keyword: 'BFD_CHECK' }), 'refused')).toBeUndefined()
  })

  it('is never shorter when the server is silent', () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(9000), fc.nat(9000), fc.nat(9000), (retry, delayLoop, connectTimeout, pause) => {
        const check = aCheck({ retry, delayLoop, connectTimeout, delayBeforeRetry: pause })
        expect(checkDownBound(check, 'silent')?.maxMs).toBeGreaterThanOrEqual(
          checkDownBound(check, 'refused')?.maxMs ?? 1,
        )
      }),
    )
  })
})

describe('up', () => {
  it('polls, and fetches every URL once more in a web check', () => {
    expect(checkUpBound(tcp, 'refused', '2.3')?.maxMs).toBe(2000)
    expect(checkUpBound(tcp, 'silent', '2.3')?.maxMs).toBe(7000)
    expect(checkUpBound(http, 'refused', '2.3')).toMatchObject({
      formula: 'max(delay_loop 2 s, delay_before_retry 3 s) + 3 x delay_loop 2 s = 9 s',
      maxMs: 9000,
    })
    expect(checkUpBound({ ...http, fastRecovery: true }, 'refused', '2.3')?.maxMs).toBe(3000)
  })

  it('polls a TCP_CHECK of 2.2 by its retries too, that of 2.3 by its delay_loop alone', () => {
    const patient = { ...tcp, delayBeforeRetry: 9000 }
    expect(checkUpBound(patient, 'refused', '2.2')).toMatchObject({
      formula: 'max(delay_loop 2 s, delay_before_retry 9 s) = 9 s',
      maxMs: 9000,
    })
    expect(checkUpBound(patient, 'refused', '2.3')).toMatchObject({ formula: 'delay_loop 2 s = 2 s', maxMs: 2000 })
    for (const release of ['2.2', '2.3'] as const)
      expect(checkUpBound({ ...http, delayBeforeRetry: 9000 }, 'refused', release)?.maxMs).toBe(15_000)
  })

  it('needs all checks of a server', () => {
    expect(serverUpBound(aServer('10.0.0.11', { checks: [http, tcp] }), 'refused', '2.3')?.maxMs).toBe(9000)
    const other = aCheck({ type: 'OTHER', keyword: 'BFD_CHECK' })
    expect(serverUpBound(aServer('10.0.0.11', { checks: [tcp, other] }), 'refused', '2.3')).toBeUndefined()
    // a check that did not see it fail passes all the time
    expect(serverUpBound(aServer('10.0.0.11', { checks: [tcp, ping] }), 'refused', '2.3')?.maxMs).toBe(2000)
  })
})

const misc = aCheck({
  type: 'MISC_CHECK',
  delayLoop: 3000,
  retry: 1,
  misc: { path: '/bin/chk', timeout: 2000, dynamic: false },
})
const udp = (requireReply: boolean, reply?: string) =>
  aCheck({
    type: 'UDP_CHECK',
    delayLoop: 3000,
    connectTimeout: 2000,
    retry: 2,
    udp: { requireReply, ...(reply ? { reply } : {}), minReplyLength: 0, maxReplyLength: 255 },
  })
const smtp = aCheck({ type: 'SMTP_CHECK', delayLoop: 3000, connectTimeout: 1000, retry: 2 })
const dns = aCheck({ type: 'DNS_CHECK', delayLoop: 2000, connectTimeout: 1000, retry: 3, delayBeforeRetry: 2000 })
const ping = aCheck({ type: 'PING_CHECK', delayLoop: 3000, connectTimeout: 1000, retry: 2 })

describe('each kind of check', () => {
  const seen: ServerFailure[] = ['refused', 'silent', 'hanging', 'wrong-answer', 'one-url', 'slow-drip']
  const sees = (check: HealthCheck): ServerFailure[] => seen.filter(failure => checkDownBound(check, failure))

  it('sees the failures that it can tell, and no others', () => {
    expect(sees(tcp)).toEqual(['refused', 'silent'])
    expect(sees(http)).toEqual(['refused', 'silent', 'hanging', 'wrong-answer', 'one-url'])
    expect(sees(smtp)).toEqual(['refused', 'silent', 'hanging', 'wrong-answer'])
    expect(sees(dns)).toEqual(['refused', 'silent', 'hanging', 'wrong-answer'])
    expect(sees(ping)).toEqual(['silent'])
    expect(sees(udp(false))).toEqual(['refused'])
    expect(sees(udp(true))).toEqual(['refused', 'silent', 'hanging'])
    expect(sees(udp(true, '706f'))).toEqual(['refused', 'silent', 'hanging', 'wrong-answer'])
    expect(sees(misc)).toEqual(seen)
  })

  it('times a script from the start of one run to the start of the next', () => {
    expect(checkDownBound(misc, 'refused')).toMatchObject({
      formula: 'max(delay_loop 3 s, misc_timeout 2 s) + 2 x misc_timeout 2 s = 7 s',
      maxMs: 7000,
    })
    expect(checkDownBound({ ...misc, delayBeforeRetry: 5000 }, 'silent')?.maxMs).toBe(10_000)
    expect(checkUpBound(misc, 'silent', '2.3')?.maxMs).toBe(5000)
  })

  it('adds to a UDP_CHECK without a reply what passing takes', () => {
    expect(checkDownBound(udp(false), 'refused')).toMatchObject({
      formula: 'delay_loop 3 s + connect_timeout 2 s + 2 x delay_before_retry 1 s = 7 s',
      maxMs: 7000,
    })
    expect(checkUpBound(udp(false), 'refused', '2.3')?.maxMs).toBe(5000)
    expect(checkDownBound(udp(true), 'silent')?.maxMs).toBe(11_000)
  })

  it('does not retry a DNS_CHECK that is down', () => {
    expect(checkDownBound(dns, 'silent')?.maxMs).toBe(12_000)
    expect(checkUpBound({ ...dns, delayBeforeRetry: 9000 }, 'wrong-answer', '2.3')?.maxMs).toBe(2000)
    expect(checkUpBound({ ...smtp, delayBeforeRetry: 9000 }, 'refused', '2.3')?.maxMs).toBe(9000)
  })
})

describe('a UDP refusal', () => {
  it('may be held back by the kernel, and is silence then', () => {
    expect(checkUpBound(dns, 'refused', '2.3')?.formula).toBe('connect_timeout 1 s + delay_loop 2 s = 3 s')
    expect(checkDownBound(dns, 'refused')?.maxMs).toBe(checkDownBound(dns, 'silent')?.maxMs)
    expect(checkDownBound(udp(true), 'refused')?.maxMs).toBe(checkDownBound(udp(true), 'silent')?.maxMs)
  })
})

describe('the first check after the start', () => {
  it('decides alone', () => {
    expect(firstDownBound(tcp, 'silent')).toMatchObject({
      formula: 'bootstrap 1 s + warmup up to 60 s + connect_timeout 5 s = 66 s',
      maxMs: 66_000,
    })
    expect(firstDownBound({ ...http, warmup: 0 }, 'one-url')?.maxMs).toBe(5000)
    expect(firstDownBound({ ...tcp, alpha: true }, 'silent')).toBeUndefined()
    const smtp: HealthCheck = { ...tcp, type: 'SMTP_CHECK', warmup: 3000, delayBeforeRetry: 1000 }
    expect(firstDownBound(smtp, 'refused')?.maxMs).toBe(6000)
    expect(firstDownBound(smtp, 'silent')?.maxMs).toBe(6000 + 3 * smtp.connectTimeout)
  })

  it('lets a server in with alpha', () => {
    expect(firstUpBound(tcp)).toBeUndefined()
    expect(firstUpBound({ ...tcp, alpha: true })?.maxMs).toBe(61_000)
    expect(firstUpBound({ ...http, alpha: true, warmup: 0 })?.maxMs).toBe(5000)
    expect(firstUpBound({ ...udp(false), alpha: true, warmup: 0 })?.maxMs).toBe(3000)
  })
})

describe('properties of every check', () => {
  const ms = fc.integer({ min: 1, max: 100 }).map(n => n * 100)
  const checks = fc
    .record({
      base: fc.constantFrom(tcp, http, misc, udp(false), udp(true, '00'), smtp, dns, ping),
      retry: fc.nat(5),
      delayLoop: ms,
      connectTimeout: ms,
      delayBeforeRetry: ms,
    })
    .map(({ base, ...changes }) => ({ ...base, ...changes }))
  const failures = fc.constantFrom<ServerFailure>('refused', 'silent', 'hanging', 'wrong-answer', 'one-url')

  it('never is faster with another retry, a longer pause or a longer timeout', () => {
    fc.assert(
      fc.property(checks, failures, ms, (check, failure, more) => {
        const bound = checkDownBound(check, failure)
        fc.pre(bound !== undefined)
        for (const slower of [
          { ...check, retry: check.retry + 1 },
          { ...check, delayLoop: check.delayLoop + more },
          { ...check, connectTimeout: check.connectTimeout + more },
          { ...check, delayBeforeRetry: check.delayBeforeRetry + more },
        ])
          expect(checkDownBound(slower, failure)?.maxMs).toBeGreaterThanOrEqual(bound?.maxMs ?? Number.NaN)
      }),
    )
  })

  it('says when a server is back exactly where it says when it is gone, and the formula ends in the bound', () => {
    fc.assert(
      fc.property(checks, failures, (check, failure) => {
        const [down, up] = [checkDownBound(check, failure), checkUpBound(check, failure, '2.3')]
        expect(up === undefined).toBe(down === undefined)
        for (const bound of [down, up])
          if (bound) expect(bound.formula.endsWith(`= ${seconds(bound.maxMs)}`)).toBe(true)
      }),
    )
  })
})

describe('misc_dynamic', () => {
  it('takes two off the exit code', () => {
    expect([0, 1, 2, 42, 255].map(code => dynamicWeight(5, code))).toEqual([5, undefined, 0, 40, 253])
  })
})

describe('sorry server', () => {
  const sorryServer = { address: '127.0.0.1', port: 80, at: tcp.at }
  const slow = aServer('10.0.0.12', { checks: [aCheck({ delayLoop: 10_000 })] })
  const service = aService({ sorryServer, realServers: [aServer('10.0.0.11'), slow] })

  it('shows after the slowest removal and one request, and ends with the first server that is back', () => {
    expect(sorryBound(service, 'refused', 50)).toMatchObject({
      formula: 'delay_loop 10 s + delay_before_retry 1 s = 11 s, + 0.05 s for one request',
      maxMs: 11_050,
    })
    expect(sorryEndsBound(service, 'refused', 50, '2.3')?.maxMs).toBe(2050)
  })

  it('has no bound without a sorry server, or with a server that nobody checks', () => {
    expect(sorryBound(aService(), 'refused', 50)).toBeUndefined()
    expect(
      sorryBound(aService({ sorryServer, realServers: [aServer('a', { checks: [] })] }), 'refused', 50),
    ).toBeUndefined()
  })
})
