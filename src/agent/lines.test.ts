import { describe, expect, it } from 'vitest'
import { parseAddressLine } from './addresses.ts'
import { parseLogLine } from './keepalived-log.ts'
import { matches } from './until.ts'

describe('a line of `ip -o monitor address`', () => {
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
