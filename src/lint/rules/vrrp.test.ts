import { expect, it } from 'vitest'
import { findingsIn, group, instance, placesOf, TOPOLOGY, twoInstances } from '../testing.ts'

it('finds a VIP that is excluded and is not, unless the devices are written otherwise', () => {
  const places = (excluded: string, vip = '10.0.0.100/24') =>
    placesOf(findingsIn({ 'a.conf': instance(`  virtual_ipaddress_excluded {\n${excluded}\n  }`, { vip }) }))
  expect(places('10.0.0.100/24')).toEqual(['a.conf:9:1 address-twice'])
  expect(places('10.0.0.100')).toEqual(['a.conf:9:1 address-twice'])
  expect(places('10.0.0.7/24\n10.0.0.7/24')).toEqual(['a.conf:10:1 address-twice'])
  expect(places('10.0.0.100/24 dev eth1')).toEqual([])
  expect(places('10.0.0.100/24 dev eth1', '10.0.0.100/24 dev eth1')).toEqual(['a.conf:9:1 address-twice'])
})

it('finds a name that no interface can have', () => {
  const places = (name: string) => placesOf(findingsIn({ 'a.conf': instance(`  use_vmac ${name}`) }))
  expect(places('a23456789012345')).toEqual([])
  expect(places('a234567890123456')).toEqual(['a.conf:8:3 line-ignored'])
  expect(places('a/b')).toEqual(['a.conf:8:3 line-ignored'])
})

it('finds an interface that the node does not have wherever one is named', () => {
  const places = (lines: string, beside = '') =>
    placesOf(
      findingsIn({ 'topology.yaml': TOPOLOGY, 'd1/etc/keepalived/keepalived.conf': instance(lines) + beside }),
    ).filter(place => place.endsWith('interface-unknown'))
  const beside = (device: string) =>
    [
      `static_ipaddress {\n  10.9.0.1/24 dev ${device}\n}\n`,
      `static_routes {\n  10.8.0.0/16 nexthop via 10.0.0.9 dev ${device}\n}\n`,
      `static_rules {\n  iif ${device} table 100\n}\n`,
    ].join('')
  expect(places('  use_vmac', beside('eth0') + beside('lo'))).toEqual([])
  expect(places('', beside('eth9'))).toHaveLength(3)
  expect(places('', `${beside('eth9')}global_defs {\n  dynamic_interfaces\n}\n`)).toEqual([])
  expect(places('  virtual_routes {\n    10.8.0.0/16 dev eth9\n  }')).toEqual([
    'd1/etc/keepalived/keepalived.conf:9:5 interface-unknown',
  ])
  expect(places('  virtual_ipaddress_excluded {\n    10.8.0.1 dev eth9\n  }')).toHaveLength(1)
  expect(places('  track_interface {\n    eth9\n  }')).toHaveLength(1)
})

it('finds the own interface of a member among what its sync group tracks', () => {
  const tracking = group('VI_1', 'VI_2').replace(/}\n$/, '  track_interface {\n    eth0\n    eth1\n  }\n}\n')
  expect(placesOf(findingsIn({ 'a.conf': tracking + twoInstances() }))).toEqual(['a.conf:7:5 track-own-interface'])
})

it('takes an instance without an interface where it speaks to peers, and each VIP has a device', () => {
  const text = (vip: string) =>
    instance('  unicast_src_ip 10.0.0.2\n  unicast_peer {\n    10.0.0.3\n  }', { vip }).replace(
      '  interface eth0\n',
      '',
    )
  expect(findingsIn({ 'a.conf': text('10.0.0.100/24 dev eth0') })).toEqual([])
  expect(placesOf(findingsIn({ 'a.conf': text('10.0.0.100/24') }))).toEqual(['a.conf:1:1 refused'])
})

it('finds an address of its own that is none', () => {
  const peers = '\n  unicast_peer {\n    10.0.0.3\n  }'
  const places = (source: string) => placesOf(findingsIn({ 'a.conf': instance(`  unicast_src_ip ${source}${peers}`) }))
  expect(places('912.0.0.2')).toEqual(['a.conf:8:3 address-invalid'])
  expect(places('2001:db8::2')).toEqual(['a.conf:8:3 line-ignored'])
  expect(places('10.0.0.2')).toEqual([])
})

it('finds what has no value, at which keepalived stops or goes on', () => {
  const places = (line: string) => placesOf(findingsIn({ 'a.conf': instance(line) }))
  expect(places('  unicast_src_ip')).toEqual(['a.conf:8:3 refused'])
  expect(places('  notify_master')).toEqual(['a.conf:8:3 value-missing'])
  expect(places('  garp_extra_if')).toEqual(['a.conf:8:3 value-missing'])
})

it('takes a multicast group for what it is', () => {
  const text = `global_defs {\n  vrrp_mcast_group4 23.6.6.6\n}\n${instance('  mcast_dst_ip ff02::12')}`
  expect(placesOf(findingsIn({ 'a.conf': text }))).toEqual(['a.conf:2:3 value-changed', 'a.conf:11:3 line-ignored'])
})

it('takes VIPs and peers of one family in an instance', () => {
  const text = instance('  unicast_peer {\n    2001:db8::2\n    10.0.0.3\n  }', { vip: '10.0.0.100\n    2001:db8::1' })
  expect(placesOf(findingsIn({ 'a.conf': text }))).toEqual(['a.conf:7:5 line-ignored', 'a.conf:10:5 line-ignored'])
})

it.each([
  '10.9.0.0/16 via 10.0.0.3 mtu lock 1400',
  '10.9.0.0/16 via 10.0.0.3 congctl lock cubic',
  '10.9.0.0/16 encap ip id 1 dst 10.0.0.3 via 10.0.0.3',
])('takes a route that keepalived takes: %s', route => {
  const files = { 'a.conf': instance(`  virtual_routes {\n    ${route}\n  }`) }
  expect(placesOf(findingsIn(files), 'route-invalid')).toEqual([])
})

it('does not speak of the multicast group where no peer is a FAULT', () => {
  const files = { 'a.conf': instance('  unicast_fault_no_peer\n  unicast_src_ip 10.0.0.2') }
  expect(placesOf(findingsIn(files), 'unicast-no-peer')).toEqual([])
})

it('finds the weight of an interface in a sync group, which keepalived only says that it ignores', () => {
  const tracked = (weight: string) => ({
    'a.conf': group('VI_1') + instance(`  track_interface {\n    eth1 ${weight}\n  }`),
  })
  expect(placesOf(findingsIn(tracked('weight -20')), 'sync-group-weight')).toHaveLength(1)
  expect(placesOf(findingsIn(tracked('')), 'sync-group-weight')).toEqual([])
})
