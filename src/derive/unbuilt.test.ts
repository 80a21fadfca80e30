import { describe, expect, it } from 'vitest'
import { deriveTopology } from './derive.ts'
import type { Draft } from './draft.ts'
import { instance, node, pair, read, service } from './testing.ts'

const names = (draft: Draft) => draft.nodes.map(one => one.name)

describe('what a lab cannot know', () => {
  const questions = (...parts: string[]): string[] => pair(...parts).questions

  it('is a real server, or a service, that keepalived itself leaves out', () => {
    const named = service('10.0.0.100 80', 'DR', ['web1.example.com 80'])
    expect(questions(instance(), named)).toEqual([
      'real_server web1.example.com 80 is not an address and a port; keepalived leaves it out, and the lab has no node for it',
      'virtual_server 10.0.0.100:80/TCP has no real servers; keepalived leaves it out, and the lab has no node for it',
    ])
    expect(questions(instance(), 'virtual_server group WEB {\nreal_server 10.0.0.10 80 {\n}\n}')).toEqual([
      'there is no virtual_server_group WEB; keepalived leaves the service out, and the lab has no node for it',
    ])
    const sorry = service('10.0.0.100 80', 'DR', ['10.0.0.10 80']).replace(
      'protocol',
      'sorry_server sorry.example.com 80\nprotocol',
    )
    expect(questions(instance(), sorry)).toHaveLength(1)
    expect(questions(instance(), service('vip.example.com 80', 'DR', ['10.0.0.10 80']))).toHaveLength(1)
    // one that stands twice has its node
    expect(questions(instance(), service('10.0.0.100 80', 'DR', ['10.0.0.10 80', '10.0.0.10 80']))).toEqual([])
  })

  it('is a real server that is a VIP or the director, and a service that no instance holds', () => {
    const odd = pair(instance(), service('10.0.0.99 80', 'DR', ['10.0.0.100 80', '127.0.0.1 80', '10.0.0.10 80']))
    expect(odd.questions).toEqual([
      'real_server 10.0.0.100 is a VIP: no node is made for it',
      'real_server 127.0.0.1 is a director itself: nothing is put there to answer',
      'no vrrp_instance holds the address of 10.0.0.99:80/TCP: nobody reaches it',
    ])
    expect(names(odd)).toEqual(['c1', 'd1', 'd2', 'rs1'])
  })

  it('is what opens a tunnel that is no ipip', () => {
    const tunnel = (kind: string) => questions(instance(), service('10.0.0.100 80', kind, ['10.0.0.10 80']))
    expect(tunnel('TUN type gue port 6080')).toEqual([
      'rs1: 10.0.0.100:80/TCP comes to it in a tunnel of type gue, and tunl0 and ip6tnl0 open ipip alone: put what opens it into etc/rc.local',
    ])
    expect(tunnel('TUN type ipip')).toEqual([])
  })

  it('is how clients find a VIP on lo', () => {
    expect(questions(instance({ vips: ['10.0.0.100/32 dev lo'] }))).toContain(
      '10.0.0.100 is on lo of the directors, where its gratuitous ARP reaches nobody: who asks for it by ARP, as here, notices no failover for seconds; yours may have a route',
    )
    expect(questions(instance({ vips: ['10.0.0.100/24', '127.0.0.9/8 dev lo'] }))).toEqual([])
  })

  it('is the gateway of a virtual route', () => {
    expect(questions(instance({ more: 'virtual_routes {\n default via 10.0.0.1\n }' }))).toContain(
      'd1: virtual_routes has default via 10.0.0.1: no node is made for its gateway',
    )
  })

  it('is an alias for an interface: refused at its place', () => {
    expect(() => pair(instance({ device: 'eth0:1' }))).toThrow('"eth0:1" is no interface, but an alias of eth0')
  })

  it('is a dummy interface: refused at its place', () => {
    expect(() => pair(instance({ vips: ['10.0.0.100/32 dev dummy0'] }))).toThrow(
      'dummy0 has no wire, and a topology builds no dummy interface',
    )
  })

  it('is an address that no host can have: refused at its place', () => {
    const refused = 'is loopback, multicast or reserved: no host can have it'
    expect(() => pair(instance({ more: 'mcast_src_ip 224.0.0.1' }))).toThrow(`224.0.0.1 ${refused}`)
    expect(() => pair(instance({ more: 'mcast_src_ip ff02::1', vips: ['fd00::1/64'] }))).toThrow(refused)
    expect(() => pair(instance(), service('10.0.0.100 80', 'DR', ['240.0.0.1 80']))).toThrow(`240.0.0.1 ${refused}`)
    expect(() => pair(instance({ vips: ['10.0.0.100/24', '127.0.0.9/8 dev lo'] }))).not.toThrow()
  })

  it('is a second interface of a director in one network: refused at the instance', () => {
    const second = (more: string, vip: string) => instance({ device: 'eth1', vips: [vip], more })
    const twice = 'd1 has eth1 in a network where it has another interface already'
    expect(() => pair(instance(), second('unicast_src_ip 10.0.0.11', '10.0.0.101/24'))).toThrow(
      expect.objectContaining({ code: 'DERIVE_NETWORK', at: expect.objectContaining({ line: 12 }) }),
    )
    expect(() => pair(instance(), second('', '10.0.0.101/24'))).toThrow(twice)
    expect(() => pair(instance(), second('unicast_src_ip 10.0.1.11', '10.0.0.101/32'))).not.toThrow()
    expect(() => pair(instance(), 'static_ipaddress {\n 10.0.0.9/24 dev eth1\n }')).toThrow(twice)
    expect(() => pair(instance(), 'static_routes {\n 10.9.0.0/16 via 10.0.0.9 dev eth1\n }')).toThrow(twice)
  })

  it('takes other names where a director has one', () => {
    const draft = deriveTopology('named', [read('rs1', instance() + service('10.0.0.100 80', 'DR', ['10.0.0.10 80']))])
    expect(names(draft)).toEqual(['c1', 'rs1', 'rs1-derived'])
    expect(node(draft, 'rs1-derived').files['/var/www/html/index.html']).toBe('rs1-derived 10.0.0.10\n')
  })

  it('keeps a prefix that is written, however small', () => {
    expect(pair(instance({ vips: ['10.0.0.2/29'] })).networks[0]).toMatchObject({ subnet: '10.0.0.0/29' })
  })
})
