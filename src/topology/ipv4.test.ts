import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { contains, formatIpv4, formatSubnet, overlaps, parseIpv4, parseSubnet, procRouteHex } from './ipv4.ts'
import type { Subnet } from './ipv4.ts'

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const subnet = fc
  .tuple(address, fc.integer({ min: 0, max: 32 }))
  .map(([value, prefix]) => `${formatIpv4(value)}/${prefix}`)

describe('addresses', () => {
  test('come back as they were written', () => {
    fc.assert(fc.property(address, value => parseIpv4(formatIpv4(value)) === value))
  })

  test.each(['', '10.0.0', '10.0.0.256', '10.0.0.01', '10.0.0.1 ', '1.2.3.4.5', '10.0.0.-1'])('%j is none', text => {
    expect(parseIpv4(text)).toBeUndefined()
  })

  test('are written the way /proc/net/route does', () => {
    expect(procRouteHex('10.0.0.1')).toBe('0100000A')
    expect(procRouteHex('192.168.254.1')).toBe('01FEA8C0')
  })
})

describe('subnets', () => {
  test('lose their host bits', () => {
    expect(formatSubnet(parseSubnet('10.0.0.77/24') as Subnet)).toBe('10.0.0.0/24')
    expect(parseSubnet('255.255.255.255/0')).toEqual({ first: 0, last: 2 ** 32 - 1, prefix: 0 })
  })

  test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/24/8', '10.0.0.0/a'])('%j is none', text => {
    expect(parseSubnet(text)).toBeUndefined()
  })

  test('overlap exactly when one holds the other', () => {
    fc.assert(
      fc.property(subnet, subnet, (a, b) => {
        const [one, two] = [parseSubnet(a) as Subnet, parseSubnet(b) as Subnet]
        return overlaps(one, two) === (contains(one, two.first) || contains(two, one.first))
      }),
    )
  })
})
