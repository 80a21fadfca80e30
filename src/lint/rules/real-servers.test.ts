import { describe, expect, it } from 'vitest'
import { findingsIn, instance, placesOf, service, TOPOLOGY } from '../testing.ts'

const FILE = 'd1/etc/keepalived/keepalived.conf'

/** The codes of what is found where the real server of a service has these lines, and its node these files. */
const found = (method: string, lines: string, files: Record<string, string> = {}): string[] => {
  const topology = TOPOLOGY.replace('rs1: { role: realserver,', `rs1: { role: realserver, ${lines}`)
  const all = { 'topology.yaml': topology, [FILE]: service().replace('NAT', method), ...files }
  return placesOf(findingsIn(all)).filter(place => / server-(?:without|answers)/.test(place))
}
const [NONE, LOUD] = [[`${FILE}:6:3 server-without-vip`], [`${FILE}:6:3 server-answers-arp`]]
const QUIET = 'arp: { ignore: 1, announce: 2 },'

describe('a real server in a topology', () => {
  it.each([
    ['DR', '', NONE],
    ['TUN', 'loopback: [10.0.0.101/32],', NONE],
    ['NAT', '', []],
    ['DR', 'loopback: [10.0.0.100/32],', LOUD],
    ['TUN', 'tunnels: { tunl0: [10.0.0.100/32] },', LOUD],
    ['DR', `loopback: [10.0.0.100/32], ${QUIET}`, []],
    ['TUN', `tunnels: { tunl0: [10.0.0.100/32] }, ${QUIET}`, []],
    ['DR', 'loopback: [10.0.0.100/32], arp: { ignore: 3, announce: 2 },', LOUD],
    ['DR', 'loopback: [10.0.0.100/32], arp: { announce: 2 }, sysctls: { net.ipv4.conf.eth0.arp_ignore: 8 },', []],
  ])('behind %s with %s', (method, lines, expected) => {
    expect(found(method, lines)).toEqual(expected)
  })

  it('may have rules or a script that see to it', () => {
    expect(found('DR', '', { 'rs1/etc/rc.local': '' })).toEqual([])
    expect(found('DR', '', { 'rs1/etc/arptables.rules': '*filter\n-A INPUT -d 10.0.0.100 -j DROP\n' })).toEqual([])
    expect(found('DR', '', { 'rs1/etc/arptables.rules': '*filter\n-A INPUT -d 10.0.0.10 -j DROP\n' })).toEqual(NONE)
  })
})

describe('a real server that is the other director', () => {
  const both = (own: number, lines: string) =>
    instance(`  unicast_src_ip 10.0.0.${own}\n  unicast_peer {\n    10.0.0.${23 - own}\n  }`) +
    service(lines).replace('NAT', 'DR')
  const places = (first: string, second: string) =>
    placesOf(findingsIn({ 'a.conf': first, 'b.conf': second }), 'server-schedules-again')
  const TWELVE = '  real_server 10.0.0.12 80 {\n    weight 1\n    TCP_CHECK {\n    }\n  }'

  it('schedules once more what comes for the VIP', () => {
    expect(places(both(11, TWELVE), both(12, TWELVE))).toEqual([
      'a.conf:17:3 server-schedules-again',
      'b.conf:22:3 server-schedules-again',
    ])
  })

  it('does not where it has no such service, or none but itself behind it', () => {
    expect(places(both(11, TWELVE), instance('  unicast_src_ip 10.0.0.12'))).toEqual([])
    expect(places(both(11, TWELVE), both(12, '').replace('10.0.0.11 80', '10.0.0.12 80'))).toEqual([])
  })

  it('does not where it schedules nothing as a backup', () => {
    const file = (node: string) => `${node}/etc/keepalived/keepalived.conf`
    const daemon = 'global_defs {\n  lvs_sync_daemon eth0 VI_1\n}\n'
    const of = (sysctls: string) =>
      placesOf(
        findingsIn({
          'topology.yaml': `${TOPOLOGY}  d2: { role: director, sysctls: { ${sysctls} }, interfaces: { eth0: { network: lan, address: 10.0.0.12 } } }\n`,
          [file('d1')]: instance() + service(TWELVE).replace('NAT', 'DR'),
          [file('d2')]: daemon + instance() + service(TWELVE).replace('NAT', 'DR'),
        }),
        'server-schedules-again',
      )
    expect(of('')).toEqual([`${file('d1')}:14:3 server-schedules-again`])
    expect(of('net.ipv4.vs.backup_only: 1')).toEqual([])
  })
})

describe('an IPv6 VIP that the director sends from', () => {
  const places = (vip: string, { method = 'DR', server = 'fd00::11', check = '' } = {}) =>
    placesOf(
      findingsIn({
        'a.conf':
          instance('', { vip }) +
          service('', `TCP_CHECK {\n      ${check}\n    }`, 'fd00::100 80')
            .replace('NAT', method)
            .replace('10.0.0.11', server),
      }),
      'asked-from-vip',
    )
  const FOUND = ['a.conf:17:5 asked-from-vip']

  it.each([
    ['fd00::100/64', {}, FOUND],
    ['fd00::100/64 preferred_lft forever', { method: 'TUN' }, FOUND],
    ['fd00::100/128 preferred_lft forever', {}, FOUND],
    ['fd00::100/112', { server: 'fd00::1:11' }, FOUND],
    ['fd00::100', {}, []],
    ['fd00::100 preferred_lft soon', {}, []],
    ['fd00::100/48', {}, []],
    ['fd00::100/64 preferred_lft 0', {}, []],
    ['fd00::100/64', { method: 'NAT' }, []],
    ['fd00::100/64', { server: 'fd00:1::11' }, []],
    ['fd00::100/64', { check: 'bindto fd00::2' }, []],
    ['fd00::100/64', { check: 'connect_ip fd00:2::11' }, []],
  ])('%s %o', (vip, options, expected) => {
    expect(places(vip, options)).toEqual(expected)
  })
})
