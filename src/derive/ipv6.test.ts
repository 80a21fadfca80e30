import { describe, expect, it } from 'vitest'
import { deriveTopology } from './derive.ts'
import type { Draft } from './draft.ts'
import { addresses, instance, node, pair, read, service } from './testing.ts'
import { formatDraft } from './yaml.ts'

/** The further addresses of a node: `eth0 lan fd00::201/64`. */
const further = (draft: Draft, name: string): string[] =>
  node(draft, name).interfaces.flatMap(({ name: device, network, addresses: list = [] }) =>
    list.map(text => `${device} ${network} ${text}`),
  )

const VIPS = ['fe80::64/128', 'fd00::100/128']

describe('a DR pair of IPv6 alone', () => {
  const draft = pair(instance({ vips: VIPS }), service('fd00::100 80', 'DR', ['fd00::10 80', 'fd00::20 80']))

  it('has a network of IPv4 that stands for its own', () => {
    expect(draft.networks).toEqual([{ name: 'lan', subnet: '192.168.201.0/24', because: 'stands for fd00::/64' }])
    expect(addresses(draft, 'rs1')).toEqual(['eth0 lan 192.168.201.11'])
    expect(draft.questions).toEqual([])
  })

  it('has its own addresses beside it, and the VIP on lo', () => {
    expect(['c1', 'd1', 'd2', 'rs1', 'rs2'].map(name => further(draft, name))).toEqual([
      ['eth0 lan fd00::50/64'],
      ['eth0 lan fd00::201/64'],
      ['eth0 lan fd00::202/64'],
      ['eth0 lan fd00::10/64'],
      ['eth0 lan fd00::20/64'],
    ])
    expect(node(draft, 'rs1')).toMatchObject({
      ...{ loopback: ['fd00::100/128'], routes: [] },
      files: { '/var/www/html/index.html': 'rs1 fd00::10\n' },
    })
    expect(node(draft, 'rs1').sysctls).toEqual({})
    expect(node(draft, 'rs1').arp).toBeUndefined()
  })

  it('is YAML, in which a colon means something', () => {
    expect(formatDraft(draft)).toContain('addresses: ["fd00::10/64"]')
    expect(formatDraft(draft)).toContain('loopback: ["fd00::100/128"]')
  })

  it('leaves an address to whoever the configuration gives it', () => {
    const taken = pair(instance({ vips: VIPS }), service('fd00::100 80', 'DR', ['fd00::201 80', 'fd00::50 80']))
    expect(further(taken, 'd1')).toEqual(['eth0 lan fd00::202/64'])
    expect(further(taken, 'd2')).toEqual(['eth0 lan fd00::203/64'])
    expect(further(taken, 'c1')).toEqual(['eth0 lan fd00::51/64'])
  })
})

describe('IPv6 beside IPv4', () => {
  const draft = pair(
    instance({ vips: ['10.0.0.100/24'], more: 'virtual_ipaddress_excluded {\n fd00::100/64\n }' }),
    service('10.0.0.100 80', 'DR', ['10.0.0.10 80']),
    service('fd00::100 80', 'DR', ['fd00::10 80']),
  )

  it('is on the same network where it is on the same device', () => {
    expect(draft.networks.map(({ subnet }) => subnet)).toEqual(['10.0.0.0/24'])
    expect(draft.networks[0]?.because).toBe('the prefix of the VIP 10.0.0.100/24')
    expect(further(draft, 'd1')).toEqual(['eth0 lan fd00::201/64'])
  })

  it('is on the same network where VMACs of one interface have it', () => {
    const one = instance({ vips: ['fd00::100/64'], more: 'use_vmac' })
    const vmacs = pair(one, instance({ more: 'use_vmac' }).replace('VI_eth0', 'V4'))
    expect(vmacs.networks.map(({ subnet }) => subnet)).toEqual(['10.0.0.0/24'])
    expect(further(vmacs, 'd1')).toEqual(['eth0 lan fd00::201/64'])
  })

  it('has real servers of its own, and those of IPv4 have nothing of it', () => {
    expect(node(draft, 'rs1')).toMatchObject({ loopback: ['10.0.0.100/32'] })
    expect(further(draft, 'rs1')).toEqual([])
    expect(node(draft, 'rs2')).toMatchObject({ loopback: ['fd00::100/128'] })
    expect(further(draft, 'rs2')).toEqual(['eth0 lan fd00::10/64'])
  })
})

it('asks whether real servers of both families whose addresses end alike are one host', () => {
  const both = (...six: string[]): string[] =>
    pair(
      instance({ more: 'virtual_ipaddress_excluded {\n fd00::100/64\n }' }),
      service('10.0.0.100 80', 'DR', ['10.0.0.10 80', '10.0.0.20 80']),
      service('fd00::100 80', 'DR', six),
    ).questions
  expect(both('fd00::11 80', 'fd00::21 80')).toEqual([])
  expect(both('fd00::11 80', 'fd00::20 80')).toEqual([
    'rs2 (10.0.0.20) and rs4 (fd00::20) may be one host, as the addresses end alike: two nodes are taken. For one, give the first what the second has besides its name and its page, and remove that',
  ])
})

it('NAT leads back by a VIP on the inside, directors forward, and clients come from beyond a router', () => {
  const draft = pair(
    instance({ device: 'eth0', vips: ['2001:db8:1::100/64'] }),
    instance({ device: 'eth1', vips: ['fd00:2::1/64'] }),
    service('2001:db8:1::100 80', 'NAT', ['fd00:2::10 80']),
  )
  expect(draft.networks.map(({ because }) => because)).toEqual(['stands for 2001:db8:1::/64', 'stands for fd00:2::/64'])
  expect(further(draft, 'c1')).toEqual(['eth0 lan 2001:db8:1::50/64'])
  expect(node(draft, 'rs1').routes).toEqual(['::/0 via fd00:2::1'])
  expect(node(draft, 'd1').sysctls).toMatchObject({ 'net.ipv6.conf.all.forwarding': 1 })

  const beside = pair(
    instance({ vips: ['fd00::100/64', 'fd00::1/64'] }),
    service('fd00::100 80', 'NAT', ['fd00::10 80']),
  )
  expect(further(beside, 'c1')).toEqual(['eth0 clients 2001:db8:c::50/64'])
  expect(node(beside, 'c1').routes).toEqual(['::/0 via 2001:db8:c::254'])
  expect(further(beside, 'r1')).toEqual(['eth0 lan fd00::254/64', 'eth1 clients 2001:db8:c::254/64'])
  expect(node(beside, 'd1').routes).toEqual(['::/0 via fd00::254'])
  expect(node(beside, 'rs1').routes).toEqual(['::/0 via fd00::1'])
})

it('is what checks ask from, too', () => {
  const check = (from: string) => `TCP_CHECK {\n bindto ${from}\n }`
  const more = 'virtual_ipaddress_excluded {\n fd00::100/64\n }'
  const draft = deriveTopology('one', [
    read(
      'd1',
      instance({ more }) +
        service('10.0.0.100 80', 'DR', ['10.0.0.10 80'], check('10.0.0.2')) +
        service('fd00::100 80', 'DR', ['fd00::10 80'], check('fd00::2')),
    ),
  ])
  expect(addresses(draft, 'd1')).toEqual(['eth0 lan 10.0.0.2'])
  expect(further(draft, 'd1')).toContain('eth0 lan fd00::2/128')
})

it('is where a static address of an interface is, too', () => {
  const draft = pair(instance(), 'static_ipaddress {\n fd00:7::1/64 dev eth2\n }')
  expect(further(draft, 'd1')).toContain('eth2 lan2 fd00:7::201/64')
})

it('asks in the words of IPv6', () => {
  const draft = pair(
    instance({ vips: ['2001:db8:1::100/64'] }),
    service('2001:db8:1::100 80', 'NAT', ['fd00:2::10 80']),
  )
  expect(draft.questions).toEqual([
    'd1: nothing says by which interface d1 reaches fd00:2::/64; eth1 is taken',
    'd2: nothing says by which interface d2 reaches fd00:2::/64; eth1 is taken',
    "rs1: no VIP in fd00:2::/64 leads back: its gateway is fd00:2::201, a director's own address, and stays so after a failover",
  ])
  expect(node(draft, 'd1').interfaces[1]?.because).toBe('nothing says by which interface d1 reaches fd00:2::/64')
})

it('says of a service at whose address nobody is reached', () => {
  const at = (vip: string): string[] =>
    pair(instance({ vips: VIPS }), service(`${vip} 80`, 'DR', ['fd00::10 80'])).questions
  expect(at('fd00::100')).toEqual([])
  expect(at('fd00::101')).toEqual(['no vrrp_instance holds the address of [fd00::101]:80/TCP: nobody reaches it'])
  expect(at('fe80:0::64')).toEqual(['[fe80::64]:80/TCP is at an address of the link: no real server has it on lo'])
})

it('says sorry on the directors by IPv6, too', () => {
  const text = service('fd00::100 80', 'NAT', ['fd00::10 80']).replace(/}\s*$/, 'sorry_server ::1 8080\n}')
  expect(node(pair(instance({ vips: VIPS }), text), 'd1').files).toEqual({
    '/var/www/html/index.html': 'd1 sorry\n',
    '/etc/nginx/conf.d/sorry.conf': 'server { listen [::1]:8080; root /var/www/html; }\n',
  })
})

it('answers what is asked by IPv6 by the same programs', () => {
  const mail = pair(instance({ vips: VIPS }), service('fd00::100 25', 'DR', ['fd00::10 25'], 'SMTP_CHECK {\n }'))
  expect(node(mail, 'rs1').files['/etc/rc.local']).toBe('#!/bin/sh -e\n/usr/local/sbin/stub smtp 25\n')
  expect(mail.questions).toEqual([])
})

describe('TUN', () => {
  it('has the VIP of IPv6 on ip6tnl0, and no setting of IPv4', () => {
    const draft = pair(instance({ vips: VIPS }), service('fd00::100 80', 'TUN', ['fd00::10 80']))
    expect(node(draft, 'rs1')).toMatchObject({ tunnel: ['fd00::100/128'], loopback: [] })
    expect(node(draft, 'rs1').sysctls).toEqual({})
    expect(node(draft, 'rs1').arp).toBeUndefined()
    expect(formatDraft(draft)).toContain('    tunnels:\n      ip6tnl0: ["fd00::100/128"]\n')
    expect(draft.questions).toEqual([])
  })

  it('leads to a real server in another subnet', () => {
    const draft = pair(instance({ vips: VIPS }), service('fd00::100 80', 'TUN', ['fd00:9::10 80']))
    expect(further(draft, 'rs1')).toEqual(['eth0 lan2 fd00:9::10/64'])
    expect(node(draft, 'rs1').routes).toEqual(['::/0 via fd00:9::254'])
    expect(further(draft, 'r1')).toEqual(['eth0 lan fd00::254/64', 'eth1 lan2 fd00:9::254/64'])
  })

  const both = instance({ vips: ['10.0.0.100/24'], more: 'virtual_ipaddress_excluded {\n fd00::100/64\n }' })

  it('is of one family for each mark', () => {
    const marked = pair(both, service('fwmark 1', 'TUN', ['fd00::10 80']), service('fwmark 2', 'TUN', ['10.0.0.10 80']))
    expect(['rs1', 'rs2'].map(name => node(marked, name).tunnel)).toEqual([['fd00::100/128'], ['10.0.0.100/32']])
  })

  it('says that what one family sends in the other is taken by no device', () => {
    const draft = pair(both, service('10.0.0.100 80', 'TUN', ['fd00::10 80', '10.0.0.20 80']))
    expect(draft.questions).toEqual([
      '10.0.0.100:80/TCP: its tunnel to fd00::10 is of the other family: no device takes what comes out',
    ])
    expect(['rs1', 'rs2'].map(name => node(draft, name).tunnel)).toEqual([[], ['10.0.0.100/32']])
  })
})

it('says what of IPv6 is not built', () => {
  const link = pair(instance({ vips: VIPS }), service('fd00::100 80', 'DR', ['fe80::10 80']))
  expect(link.questions).toContain(
    'real_server fe80::10 is IPv6 of the link or of the loopback: no node is made for it',
  )
})
