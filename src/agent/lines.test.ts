import { describe, expect, it } from 'vitest'
import { parseAddressLine } from './addresses.ts'
import { mayChangeTable, parseLogLine } from './keepalived-log.ts'
import { matches } from './until.ts'

describe('a line of `ip -o -ts monitor address`', () => {
  it('says when the kernel told of it, to the microsecond', () => {
    const line = '[2026-11-20T06:00:01.250375] Deleted 8: eth0    inet 10.0.0.100/24 scope global secondary eth0:1'
    const wallMs = Date.UTC(2026, 10, 20, 6, 0, 1) + 250.375
    expect(parseAddressLine(line)).toEqual({
      change: 'remove',
      device: 'eth0',
      address: '10.0.0.100',
      prefix: 24,
      wallMs,
    })
  })

  it('says what came, and where', () => {
    const line =
      '8: eth0    inet 10.0.0.100/24 scope global secondary proto keepalived eth0:1\\       valid_lft forever'
    expect(parseAddressLine(line)).toEqual({ change: 'add', device: 'eth0', address: '10.0.0.100', prefix: 24 })
  })

  it('says what went, also with a parent interface and for IPv6', () => {
    expect(parseAddressLine('Deleted 8: eth0@if7    inet6 fe80::1/64 scope link')).toEqual({
      change: 'remove',
      device: 'eth0',
      address: 'fe80::1',
      prefix: 64,
    })
  })

  it('that says something else is passed over', () => {
    expect(parseAddressLine('8: eth0: <BROADCAST,UP> mtu 1500')).toBeUndefined()
  })
})

describe("a line of keepalived's log", () => {
  it('loses its date, which is the wall clock of a machine that stood still', () => {
    expect(parseLogLine('Fri Nov  6 06:00:00 2026: Startup complete')).toEqual({ line: 'Startup complete' })
  })

  it('tells a transition', () => {
    expect(parseLogLine('(VI_1) Entering BACKUP STATE (init)').transition).toEqual({
      instance: 'VI_1',
      state: 'BACKUP',
    })
    expect(parseLogLine('(VI_1) Receive advertisement timeout').transition).toBeUndefined()
  })
})

describe('a line that may come with a change of the table', () => {
  const mayChange = (line: string) => mayChangeTable(parseLogLine(line))

  it('is any that says what is done, or what nobody here knows', () => {
    expect(mayChange('Removing service [10.0.0.10]:tcp:80 from VS [10.0.0.100]:tcp:80')).toBe(true)
    expect(mayChange('Adding service [10.0.0.10]:tcp:80 to VS [10.0.0.100]:tcp:80')).toBe(true)
    expect(mayChange('Disabling service [10.0.0.10]:tcp:80 from VS [10.0.0.100]:tcp:80')).toBe(true)
    expect(mayChange('Changing weight from 1 to 3 for active service [10.0.0.10]:tcp:80')).toBe(true)
    expect(mayChange('Removing service [10.0.0.10]:tcp:80 from VS [failover]:0')).toBe(true)
    expect(mayChange('Changing weight from 1 to 3 for active service [10.0.0.10]:tcp:80 of VS [web-failover]:0')).toBe(
      true,
    )
    expect(mayChange('(VI_1) Entering MASTER STATE')).toBe(true)
  })

  it('is not the end of a check: what follows from that has a line of its own', () => {
    expect(mayChange('TCP connection to [10.0.0.10]:tcp:80 success.')).toBe(false)
    expect(mayChange('HTTP_CHECK on service [10.0.0.10]:tcp:80 failed after 3 retries.')).toBe(false)
  })
})

describe('what a checker says in the log', () => {
  const says = (line: string) => parseLogLine(line).checker

  it('is the end of a check, not one of its attempts or URLs', () => {
    const server = '10.0.0.10:80'
    expect(says('HTTP_CHECK on service [10.0.0.10]:tcp:80 failed after 3 retries.')).toEqual({ server, result: 'down' })
    expect(says('Remote Web server [10.0.0.10]:tcp:80 succeed on service.')).toEqual({ server, result: 'up' })
    expect(says('TCP connection to [10.0.0.10]:tcp:80 success.')).toEqual({ server, result: 'up' })
    expect(says('HTTP status code success to [10.0.0.10]:tcp:80 url(/index.html)')).toBeUndefined()
    expect(says('Activating healthchecker for service [10.0.0.10]:tcp:80 for VS [10.0.0.100]:tcp:80')).toBeUndefined()
  })

  it("is a real server's place in its pool", () => {
    const [server, service] = ['10.0.0.10:80', 'TCP 10.0.0.100:80']
    const removed = { server, service, result: 'removed' }
    expect(says('Removing service [10.0.0.10]:tcp:80 from VS [10.0.0.100]:tcp:80')).toEqual(removed)
    expect(says('Shutting down service [10.0.0.10]:tcp:80 from VS [10.0.0.100]:tcp:80')).toEqual(removed)
    expect(says('Adding service [fd00::10]:tcp:80 to VS [fd00::100]:tcp:80')).toEqual({
      ...{ server: 'fd00::10:80', service: 'TCP [fd00::100]:80', result: 'added' },
    })
    expect(says('Adding service [10.0.0.10]:tcp:80 to VS FWM 50')).toEqual({
      server,
      service: 'FWM 50',
      result: 'added',
    })
    expect(says('Adding sorry server [127.0.0.1]:tcp:80 to VS [10.0.0.100]:tcp:80')).toBeUndefined()
  })
})

it('an event matches by the fields that are named, nested ones too', () => {
  const event = {
    kind: 'keepalived' as const,
    t: 1,
    node: 'd1',
    line: '',
    transition: { instance: 'VI_1', state: 'MASTER' as const },
  }
  expect(matches(event, { kind: 'keepalived', transition: { state: 'MASTER' } })).toBe(true)
  expect(matches(event, { transition: { state: 'FAULT' } })).toBe(false)
  expect(matches(event, { server: 'rs1' })).toBe(false)
})
