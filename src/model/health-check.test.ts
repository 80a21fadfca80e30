import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aCheck, aServer, aService } from './examples.ts'
import {
  checkDownBound,
  checkUpBound,
  serverDownBound,
  serverUpBound,
  sorryBound,
  sorryEndsBound,
} from './health-check.ts'

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
    expect(checkDownBound(aCheck({ type: 'OTHER', keyword: 'MISC_CHECK' }), 'refused')).toBeUndefined()
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
    expect(checkUpBound(tcp, 'refused')?.maxMs).toBe(2000)
    expect(checkUpBound(tcp, 'silent')?.maxMs).toBe(7000)
    expect(checkUpBound(http, 'refused')).toMatchObject({
      formula: 'max(delay_loop 2 s, delay_before_retry 3 s) + 3 x delay_loop 2 s = 9 s',
      maxMs: 9000,
    })
    expect(checkUpBound({ ...http, fastRecovery: true }, 'refused')?.maxMs).toBe(3000)
  })

  it('needs all checks of a server', () => {
    expect(serverUpBound(aServer('10.0.0.11', { checks: [http, tcp] }), 'refused')?.maxMs).toBe(9000)
    const other = aCheck({ type: 'OTHER', keyword: 'MISC_CHECK' })
    expect(serverUpBound(aServer('10.0.0.11', { checks: [tcp, other] }), 'refused')).toBeUndefined()
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
    expect(sorryEndsBound(service, 'refused', 50)?.maxMs).toBe(2050)
  })

  it('has no bound without a sorry server, or with a server that nobody checks', () => {
    expect(sorryBound(aService(), 'refused', 50)).toBeUndefined()
    expect(
      sorryBound(aService({ sorryServer, realServers: [aServer('a', { checks: [] })] }), 'refused', 50),
    ).toBeUndefined()
  })
})
