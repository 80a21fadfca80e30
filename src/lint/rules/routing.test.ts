import { describe, expect, it } from 'vitest'
import { findingsIn } from '../testing.ts'

const told = (block: string, line: string) =>
  findingsIn({ 'a.conf': `${block} {\n${line}\n}\n` }).map(({ message }) => message)

describe('numbers of routes and rules', () => {
  it.each([
    ['metric 0x64', 'metric 0x64 is not a number from 0 to 4294967295 of a route; keepalived leaves it out'],
    ['mtu lock 0x500', 'mtu 0x500 is not a number from 0 to 4294967295 of a route; keepalived leaves it out'],
    ['hoplimit 256', 'hoplimit 256 is not a number from 0 to 255 of a route; keepalived leaves it out'],
    ['hoplimit lock 64', 'hoplimit lock is not a number from 0 to 255 of a route; keepalived leaves it out'],
    ['lock mtu 1400', 'lock is neither an address nor a word of a route'],
    ['tos 0x100', 'tos 0x100 of a route is above 255; keepalived leaves it out'],
    ['expires 10', 'expires is of IPv6, and what stands before it of IPv4'],
    ['pref high', 'pref is of IPv6, and what stands before it of IPv4'],
    ['src fd00::1', 'fd00::1 is of IPv6, and what stands before it of IPv4'],
    ['from fd00::%eth0/64', 'from fd00::%eth0/64 is not an address; keepalived leaves the route out'],
  ])('refuses of a route: %s', (words, message) => {
    expect(told('static_routes', `default via 10.0.0.1 ${words}`)).toEqual([message])
  })

  it.each(['metric 100 mtu lock 1400', 'table 0x64 scope 0xfd tos 0x10 dsfield 0300', 'quickack 1', 'realms 5'])(
    'takes of a route: %s',
    words => {
      expect(told('static_routes', `default via 10.0.0.1 ${words}`)).toEqual([])
    },
  )

  it.each([
    'any dev eth0',
    'fd00:1::/64 via fd00::1 expires 10 pref high',
    'fd00:1::/64 encap ip id 5 dst 10.0.0.1 src 10.0.0.2 dev eth0',
    'inet6 fd00::/64 default from default dev eth0',
  ])('takes a route: %s', line => {
    expect(told('static_routes', line)).toEqual([])
  })

  it.each([
    ['goto 0x7000 priority 100', 'goto 0x7000 is not a number from 0 to 4294967295 of a rule'],
    ['goto 100 priority 100', "goto 100 does not lead on from the rule's preference 100; keepalived leaves it out"],
    ['goto 500', 'goto 500 of a rule without a preference; keepalived leaves it out'],
    ['priority 5 blackhole protocol static', 'protocol static is not a number from 0 to 255 of a rule'],
    ['priority 5 blackhole protocol 4', 'keepalived tracks the rule by its protocol, and makes 18 of 4'],
    ['priority 5 table 7 sport 80', 'sport 80 of a rule is not a range'],
    ['priority 5 table 7 fwmark 1/0x', 'fwmark 1/0x of a rule is not a mark, nor one with a mask'],
    ['priority 5 table 7 fwmark 1/0x1ffffffff', 'fwmark 1/0x1ffffffff of a rule is not a mark, nor one with a mask'],
    ['priority 5 table 7 fwmark 09', 'fwmark 09 of a rule is not a mark, nor one with a mask'],
    ['priority 5 table 7 to fd00::%eth0/64', 'to fd00::%eth0/64 of a rule is neither an address nor one with a prefix'],
    ['priority 5 table 7 to fd00::/64', 'fd00::/64 is of IPv6, and what stands before it of IPv4'],
    ['priority 5 table 7 tos 0x103', 'tos 0x103 of a rule is above 255; keepalived leaves it out'],
    ['priority 5 table 7 ipproto 132', 'keepalived takes no ipproto above 127, and leaves 132 out of the rule'],
    [
      'priority 5 table 7 tunnel-id 18446744073709551616',
      'tunnel-id 18446744073709551616 of a rule is not a number from 0 to 18446744073709551615',
    ],
    ['priority 5 table 7 tunnel-id 0x12', 'tunnel-id 0x12 of a rule is not a number from 0 to 18446744073709551615'],
    ['priority 4294967296 table 7', 'priority 4294967296 of a rule is not a number'],
  ])('refuses of a rule: %s', (words, message) => {
    expect(told('static_rules', `from 10.0.0.0/8 ${words}`)).toEqual([message])
  })

  it.each([
    'goto 500 priority 0x20',
    'table 0x64 priority 0x64 fwmark 0x1/0xff',
    'priority 5 table 7 sport 80-80 dport 1-9 uidrange 0-10',
    'priority 5 blackhole protocol 4 no_track',
    'priority 5 blackhole protocol 18',
    'goto 9 priority 010',
    'priority +5 table 7 fwmark 010/ tunnel-id 18446744073709551615 ipproto 127 tos 0377 to any',
    'priority 5 table 7 ipproto sctp tos lowdelay realms 5',
  ])('takes of a rule: %s', words => {
    expect(told('static_rules', `from 10.0.0.0/8 ${words}`)).toEqual([])
  })
})
