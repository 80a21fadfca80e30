import { describe, expect, it } from 'vitest'
import { deriveTopology } from './derive.ts'
import type { Draft } from './draft.ts'
import { addresses, CHECK, instance, node, pair, read, service } from './testing.ts'
import { formatDraft } from './yaml.ts'

const names = (draft: Draft) => draft.nodes.map(one => one.name)

describe('a DR pair on one network', () => {
  const draft = pair(instance(), service('10.0.0.100 80', 'DR', ['10.0.0.10 80', '10.0.0.20 80']))

  it('has the network of its VIP, a client, both directors, and each real server', () => {
    expect(draft.networks).toEqual([
      { name: 'lan', subnet: '10.0.0.0/24', because: 'the prefix of the VIP 10.0.0.100/24' },
    ])
    expect(names(draft)).toEqual(['c1', 'd1', 'd2', 'rs1', 'rs2'])
    expect(addresses(draft, 'rs2')).toEqual(['eth0 lan 10.0.0.20'])
    expect(draft.questions).toEqual([])
  })

  it('has the VIP on lo of its real servers, which keep silent about it', () => {
    expect(node(draft, 'rs1')).toMatchObject({
      loopback: ['10.0.0.100/32'],
      arp: { ignore: 1, announce: 2 },
      files: { '/var/www/html/index.html': 'rs1 10.0.0.10\n' },
    })
  })

  it('has addresses of its own for the directors, which the configuration does not know', () => {
    expect(addresses(draft, 'd1')).toEqual(['eth0 lan 10.0.0.201'])
    expect(node(draft, 'd2').interfaces[0]?.because).toBe('the address is free, the configuration has none')
  })

  it('takes a /24 where no VIP has a prefix, and says so', () => {
    const plain = pair(instance({ vips: ['10.0.0.100'] }), service('10.0.0.100 80', 'DR', ['10.0.0.10 80']))
    expect(plain.networks).toEqual([
      { name: 'lan', subnet: '10.0.0.0/24', because: 'around 10.0.0.100; the prefix is a guess' },
    ])
  })

  it('takes what unicast_src_ip says for the address of a director', () => {
    const said = ['d1', 'd2'].map((name, n) =>
      read(
        name,
        instance({ more: `unicast_src_ip 10.0.0.${5 + n}\n    unicast_peer {\n        10.0.0.${6 - n}\n    }` }),
      ),
    )
    expect(addresses(deriveTopology('pair', said), 'd2')).toEqual(['eth0 lan 10.0.0.6'])
  })
})

describe('checks that ask from an address', () => {
  const bound = (...froms: string[]) =>
    instance() +
    service(
      '10.0.0.100 80',
      'DR',
      froms.map((_, n) => `10.0.0.${n + 10} 80`),
      'TCP_CHECK {\n bindto FROM\n }',
    ).replaceAll(/FROM/g, () => froms.shift() ?? '')
  const director = (name: string, ...froms: string[]) => read(name, bound(...froms))

  it('say that it is the director', () => {
    const draft = deriveTopology('pair', [
      director('d1', '10.0.0.2', '10.0.0.2'),
      director('d2', '10.0.0.11', '10.0.0.11'),
    ])
    expect(['d1', 'd2'].map(name => addresses(draft, name))).toEqual([['eth0 lan 10.0.0.2'], ['eth0 lan 10.0.0.11']])
    expect(node(draft, 'd1').interfaces[0]?.because).toBeUndefined()
    expect(names(draft)).toEqual(['c1', 'd1', 'd2', 'rs1'])
    expect(draft.questions).toEqual(['real_server 10.0.0.11 is a director itself: nothing is put there to answer'])
  })

  it('say it of a network that nothing else says it of, and of a second address', () => {
    const draft = deriveTopology('one', [director('d1', '10.0.0.2', '10.0.0.3', '192.168.7.2')])
    expect(node(draft, 'd1').interfaces).toMatchObject([
      { name: 'eth0', address: '10.0.0.2', addresses: ['10.0.0.3/24'] },
      { name: 'eth1', address: '192.168.7.2' },
    ])
  })

  it('say nothing where it is a VIP, or of this host', () => {
    const draft = deriveTopology('one', [director('d1', '10.0.0.100', '127.0.0.1')])
    expect(addresses(draft, 'd1')).toEqual(['eth0 lan 10.0.0.201'])
  })

  it('fail where it is the address of another director', () => {
    const draft = deriveTopology('pair', [director('d1', '10.0.0.2'), director('d2', '10.0.0.2')])
    expect(addresses(draft, 'd2')).toEqual(['eth0 lan 10.0.0.201'])
    expect(draft.questions).toEqual(["d2: its checks ask from 10.0.0.2 (bindto), which is taken for d1's: they fail"])
  })
})

describe('NAT', () => {
  it('goes back through the VIP on the network of the real servers', () => {
    const draft = pair(
      instance({ vips: ['203.0.113.10/24'] }),
      instance({ device: 'eth1', vips: ['10.0.0.254/24'] }),
      service('203.0.113.10 80', 'NAT', ['10.0.0.10 8080']),
    )
    expect(addresses(draft, 'd1')).toEqual(['eth0 lan 203.0.113.201', 'eth1 lan2 10.0.0.201'])
    expect(node(draft, 'd1').sysctls).toEqual({ 'net.ipv4.ip_forward': 1 })
    expect(node(draft, 'rs1')).toMatchObject({ routes: ['default via 10.0.0.254'], loopback: [] })
    expect(node(draft, 'rs1').files['/etc/apache2/conf-enabled/stub.conf']).toBe('Listen 8080\n')
    expect(addresses(draft, 'c1')).toEqual(['eth0 lan 203.0.113.50'])
    expect(names(draft)).not.toContain('r1')
  })

  it('has a VIP on lo of its directors on the wire that its instance speaks on', () => {
    const draft = pair(
      instance({ vips: ['172.16.9.9/32 dev lo'], more: 'mcast_src_ip 10.0.0.5' }),
      service('172.16.9.9 80', 'DR', ['10.0.0.10 80']),
    )
    expect(node(draft, 'r1').routes).toEqual(['172.16.9.9/32 dev eth0'])
  })

  it('has its clients elsewhere where the real servers are beside the VIP', () => {
    const draft = pair(instance(), service('10.0.0.100 80', 'NAT', ['10.0.0.10 80']))
    expect(addresses(draft, 'c1')).toEqual(['eth0 clients 198.51.100.50'])
    expect(addresses(draft, 'r1')).toEqual(['eth0 lan 10.0.0.254', 'eth1 clients 198.51.100.254'])
    expect(draft.networks.map(one => one.gateway)).toEqual(['10.0.0.254', '198.51.100.254'])
  })

  it('asks where the directors have no address on the network of the real servers', () => {
    const draft = pair(instance(), service('10.0.0.100 80', 'NAT', ['192.168.7.10 80']))
    expect(addresses(draft, 'd1')).toEqual(['eth0 lan 10.0.0.201', 'eth1 lan2 192.168.7.201'])
    expect(draft.questions).toEqual([
      'd1: nothing says by which interface d1 reaches 192.168.7.0/24; eth1 is taken',
      'd2: nothing says by which interface d2 reaches 192.168.7.0/24; eth1 is taken',
      "rs1: no VIP in 192.168.7.0/24 leads back: its gateway is 192.168.7.201, a director's own address, and stays so after a failover",
    ])
  })

  it('says that what stands behind NAT has no way for answers of DR', () => {
    const services = ['NAT', 'DR'].map((kind, n) => service(`10.0.0.100 ${80 + n}`, kind, ['10.0.0.10 80']))
    expect(pair(instance(), ...services).questions).toContain(
      'rs1: it is behind DR and behind NAT, so its gateway is a director, which drops what comes from a VIP that it has itself: clients elsewhere get no answer by DR',
    )
  })

  it('leads back through who is MASTER at first, where that is not the first director', () => {
    const nat = instance() + service('10.0.0.100 80', 'NAT', ['192.168.7.10 80'])
    const draft = deriveTopology('pair', [read('d1', nat), read('d2', nat.replace('priority 100', 'priority 150'))])
    expect(node(draft, 'rs1').routes).toEqual(['default via 192.168.7.202'])
  })
})

describe('other shapes', () => {
  it('has a router where DR real servers are not beside the clients', () => {
    const draft = pair(
      instance({ vips: ['203.0.113.10/24'] }),
      instance({ device: 'eth1', vips: ['10.0.0.99/24'] }),
      service('203.0.113.10 80', 'DR', ['10.0.0.10 80']),
    )
    expect(addresses(draft, 'r1')).toEqual(['eth0 lan 203.0.113.254', 'eth1 lan2 10.0.0.254'])
  })

  it('has a VIP in a subnet of its own on the wire of the real servers, and the router knows it', () => {
    const draft = pair(
      instance({ vips: ['10.0.0.5/24', '172.16.9.9/32'] }),
      service('172.16.9.9 80', 'DR', ['10.0.0.10 80']),
    )
    expect(draft.networks.map(one => one.subnet)).toEqual(['10.0.0.0/24', '198.51.100.0/24'])
    expect(node(draft, 'r1').routes).toEqual(['172.16.9.9/32 dev eth0'])
  })

  it('has a VIP on lo of its directors on the wire that its instance speaks on', () => {
    const draft = pair(
      instance({ vips: ['172.16.9.9/32 dev lo'], more: 'mcast_src_ip 10.0.0.5' }),
      service('172.16.9.9 80', 'DR', ['10.0.0.10 80']),
    )
    expect(node(draft, 'r1').routes).toEqual(['172.16.9.9/32 dev eth0'])
  })

  it('has its clients elsewhere where VIPs that serve are in two networks, whichever is first', () => {
    const [first, second] = ['10.0.0.100', '172.16.9.9'].map(vip => service(`${vip} 80`, 'DR', ['10.0.0.10 80']))
    const vips = instance({ vips: ['10.0.0.100/24', '172.16.9.9/24'] })
    for (const services of [
      [first, second],
      [second, first],
    ]) {
      const draft = pair(vips, ...(services as string[]))
      expect(addresses(draft, 'c1')).toEqual(['eth0 clients 198.51.100.50'])
      expect(node(draft, 'r1').routes).toEqual(['172.16.9.9/32 dev eth0'])
    }
    const two = pair(
      instance() + instance({ device: 'eth1', vips: ['192.168.7.1/24'] }),
      service('10.0.0.100 80', 'NAT', ['192.168.7.10 80']),
      service('192.168.7.1 80', 'NAT', ['192.168.7.10 80']),
    )
    expect(addresses(two, 'r1')).toEqual([
      'eth0 lan 10.0.0.254',
      'eth1 lan2 192.168.7.254',
      'eth2 clients 198.51.100.254',
    ])
  })

  it('has the clients of a mark where every VIP that may be meant is reached', () => {
    const marked = (...vips: string[]) => pair(instance({ vips }), service('fwmark 7', 'DR', ['10.0.0.10 80']))
    expect(names(marked('10.0.0.100/24'))).not.toContain('r1')
    expect(addresses(marked('10.0.0.100/24', '172.16.9.9/24'), 'c1')).toEqual(['eth0 clients 198.51.100.50'])
  })

  it('has the VIP on tunl0 for TUN, and rp_filter off', () => {
    const draft = pair(instance(), service('10.0.0.100 80', 'TUN', ['10.0.0.10 80']))
    expect(node(draft, 'rs1')).toMatchObject({
      tunnel: ['10.0.0.100/32'],
      sysctls: { 'net.ipv4.conf.tunl0.rp_filter': 0 },
    })
  })

  it('has no node for a VMAC, which keepalived makes itself on top of the interface', () => {
    for (const vmac of ['use_vmac', 'use_vmac vrrp_250'])
      expect(addresses(pair(instance({ more: vmac })), 'd1')).toEqual(['eth0 lan 10.0.0.201'])
  })

  it('has a bridge where two directors have VMACs', () => {
    const drivers = (draft: Draft) => draft.networks.map(({ driver = 'macvlan' }) => driver)
    const vmac = pair(instance({ more: 'use_vmac' }))
    expect(drivers(vmac)).toEqual(['bridge'])
    expect(formatDraft(vmac)).toContain(
      '  lan: { subnet: 10.0.0.0/24, driver: bridge } # the prefix of the VIP 10.0.0.100/24; a bridge, as d1 and d2 have use_vmac\n',
    )
    expect(drivers(pair(instance()))).toEqual(['macvlan'])
    // those of another virtual router have another address
    const routers = [51, 52].map((id, n) =>
      read(`d${n + 1}`, instance({ more: 'use_vmac' }).replace('virtual_router_id 50', `virtual_router_id ${id}`)),
    )
    expect(drivers(deriveTopology('pair', routers))).toEqual(['macvlan'])
  })

  it('has a device of VRRP alone on a network of its own', () => {
    const draft = pair(instance({ device: 'eth1', vips: ['10.0.0.100/24 dev eth0'] }))
    expect(addresses(draft, 'd1')).toEqual(['eth0 lan 10.0.0.201', 'eth1 lan2 192.168.201.201'])
  })

  it('has the interface of the instance on the network of a VIP that is on a device without a wire', () => {
    const on = (device: string) =>
      pair(instance({ vips: [`10.0.0.100/32 dev ${device}`] }), service('10.0.0.100 80', 'DR', ['10.0.0.10 80']))
    expect(['lo', 'tunl0'].map(device => addresses(on(device), 'd1'))).toEqual([
      ['eth0 lan 10.0.0.201'],
      ['eth0 lan 10.0.0.201'],
    ])
    expect(formatDraft(on('tunl0'))).toContain('    tunnels:\n      tunl0: []\n')
    expect(formatDraft(on('lo'))).not.toContain('tunnels:')
  })

  it('has interfaces that only static addresses, routes and rules name', () => {
    const draft = pair(
      instance({ more: 'virtual_routes {\n 10.50.0.0/16 dev eth3 scope link\n default via 10.0.0.1 dev eth0\n }' }),
      'static_ipaddress {\n 192.168.77.1/26 dev eth2\n 127.0.0.2/8 dev lo\n }',
      'static_routes {\n 10.99.0.0/16 nexthop via 192.168.78.254 dev eth4 nexthop via 192.168.77.9 dev eth2\n }',
      'static_rules {\n iif eth5 table 100\n iif lo table 100\n }',
    )
    expect(draft.networks.map(one => `${one.subnet} ${one.because}`)).toEqual([
      '10.0.0.0/24 the prefix of the VIP 10.0.0.100/24',
      '192.168.77.0/26 the prefix of static_ipaddress 192.168.77.1/26',
      '192.168.78.0/24 around 192.168.78.254; the prefix is a guess',
      '192.168.201.0/24 eth3 of the directors; no address of it is written anywhere',
      '192.168.202.0/24 eth5 of the directors; no address of it is written anywhere',
    ])
    expect(addresses(draft, 'd2').map(one => one.split(' ')[0])).toEqual(['eth0', 'eth2', 'eth4', 'eth3', 'eth5'])
    expect(draft.questions).toContain(
      'd1: static_routes has 10.99.0.0/16 nexthop via 192.168.78.254 dev eth4 nexthop via 192.168.77.9 dev eth2: no node is made for its gateway',
    )
    expect(draft.questions.filter(question => question.includes('eth3'))).toEqual([])
  })

  it('refuses what has no VIP', () => {
    expect(() => deriveTopology('none', [read('d1', service('10.0.0.100 80', 'DR', ['10.0.0.10 80']))])).toThrow(
      'no vrrp_instance of d1 has a VIP that can be built',
    )
  })
})

describe('more real servers than nodes are made for', () => {
  const vips = ['10.0.0.101', '10.0.0.102', '10.0.0.103', '10.0.0.104', '10.0.0.105']
  const servers = (n: number, port: number, count = 4): string[] =>
    Array.from({ length: count }, (_, m) => `10.0.${n + 1}.${m + 1} ${port}`)
  const large = (kind: string, port = 80, check = CHECK, count = 4): Draft =>
    pair(
      instance({ vips: vips.map(vip => `${vip}/16`) }),
      ...vips.map((vip, n) => service(`${vip} ${port}`, kind, servers(n, port, count), check)),
    )
  const site = (draft: Draft, name = 'farm1') => node(draft, name).files['/etc/apache2/conf-enabled/farm.conf'] ?? ''

  it('share farms, each with one real server of each service', () => {
    const draft = large('DR')
    expect(names(draft)).toEqual(['c1', 'd1', 'd2', 'farm1', 'farm2', 'farm3', 'farm4'])
    expect(node(draft, 'farm2')).toMatchObject({
      ...{ role: 'realserver', farm: true, loopback: vips.map(vip => `${vip}/32`) },
      interfaces: [
        {
          ...{ name: 'eth0', network: 'lan', address: '10.0.1.2' },
          addresses: ['10.0.2.2/16', '10.0.3.2/16', '10.0.4.2/16', '10.0.5.2/16'],
        },
      ],
    })
    expect(draft.questions).toEqual([])
  })

  it('have nodes of their own up to 16 of them', () => {
    expect(names(large('DR', 80, CHECK, 3)).slice(3)).toHaveLength(15)
    expect(node(large('DR', 80, CHECK, 3), 'rs1').farm).toBeUndefined()
  })

  it('answer each with its own address, by the VIP that was asked too', () => {
    const draft = large('DR', 8080, 'HTTP_GET {\n url {\n path /health\n }\n }')
    expect(node(draft, 'farm1').files['/var/www/html/index.html']).toBe('<!--#echo var="SERVER_NAME" -->\n')
    expect(site(draft)).toContain(
      [
        'Listen 8080',
        '<VirtualHost 10.0.1.1:8080 10.0.0.101:8080>',
        '    ServerName 10.0.1.1',
        '    AliasMatch "^/health$" /var/www/html/index.html',
        '</VirtualHost>',
      ].join('\n'),
    )
  })

  it('are asked by their own addresses behind NAT, and lead back through the director', () => {
    const draft = large('NAT')
    expect(site(draft)).toContain('<VirtualHost 10.0.1.1:80>\n')
    expect(node(draft, 'farm1').routes).toEqual(['default via 10.0.0.101'])
  })

  it('speak TLS where a check does', () => {
    const draft = large('DR', 443)
    expect(site(draft)).toContain('<VirtualHost 10.0.1.1:443 10.0.0.101:443>\n')
    expect(site(draft)).toContain('    SSLEngine on\n')
    expect(node(draft, 'farm1').files['/etc/apache2/stub.pem']).toContain('BEGIN CERTIFICATE')
    expect(site(draft)).not.toContain('Listen')
  })

  it('stay by themselves where more than httpd is needed', () => {
    expect(names(large('DR', 25, 'SMTP_CHECK {\n }')).filter(name => name.startsWith('farm'))).toEqual([])
    expect(names(large('DR', 80, 'MISC_CHECK {\n misc_path /opt/check\n }'))).toContain('rs20')
  })
})

describe('directors that speak to each other alone', () => {
  const speaking = (name: string, peers: number[], more = '') =>
    read(
      name,
      instance({ more: `${more}\n    unicast_peer {\n${peers.map(peer => `        10.0.0.${peer}\n`).join('')}    }` }),
    )

  it('have the addresses that the others speak to', () => {
    const draft = deriveTopology('three', [speaking('m1', [2, 3]), speaking('m2', [1, 3]), speaking('m3', [1, 2])])
    expect(['m1', 'm2', 'm3'].map(name => addresses(draft, name))).toEqual([1, 2, 3].map(n => [`eth0 lan 10.0.0.${n}`]))
    expect(draft.questions).toEqual([])
  })

  it('may be the real servers themselves', () => {
    const both = (name: string, peer: number) => {
      const spoken = `unicast_peer {\n        10.0.0.${peer}\n    }`
      return read(name, instance({ more: spoken }) + service('10.0.0.100 80', 'DR', ['10.0.0.1 80', '10.0.0.2 80']))
    }
    const draft = deriveTopology('pair', [both('m1', 2), both('m2', 1)])
    expect(draft.nodes.map(one => one.name)).toEqual(['c1', 'm1', 'm2'])
    expect(draft.questions).toContain('real_server 10.0.0.1 is a director itself: nothing is put there to answer')
  })

  describe('where one does not speak so', () => {
    const silent = (name: string) => read(name, instance())
    const own = (name: string, n: number, peers: number[]) => speaking(name, peers, `unicast_src_ip 10.0.0.${n}`)

    it('has the address that only that one can have, which is told', () => {
      const draft = deriveTopology('pair', [own('d1', 2, [3]), silent('d2')])
      expect(addresses(draft, 'd2')).toEqual(['eth0 lan 10.0.0.3'])
      const told =
        'd2: 10.0.0.3 is taken for its address, as d1 speaks to it (unicast_peer); d2 itself speaks to all (no unicast_peer)'
      expect(draft.questions).toEqual([told])
      const three = deriveTopology('three', [own('d1', 2, [3, 4]), own('d2', 3, [2, 4]), silent('d3')])
      expect(addresses(three, 'd3')).toEqual(['eth0 lan 10.0.0.4'])
      expect(three.questions).toEqual([
        told.replaceAll('d2', 'd3').replace('.3', '.4').replace('d1 speaks', 'd1, d2 speak'),
      ])
    })

    it('has a free one where more than one director, or address, is left', () => {
      const two = deriveTopology('three', [own('d1', 2, [3]), silent('d2'), silent('d3')])
      expect(addresses(two, 'd2')).toEqual(['eth0 lan 10.0.0.201'])
      const more = deriveTopology('pair', [own('d1', 2, [3, 4]), silent('d2')])
      expect(addresses(more, 'd2')).toEqual(['eth0 lan 10.0.0.201'])
    })
  })

  it('are asked for them where that does not say it', () => {
    const draft = deriveTopology('three', [speaking('m1', [2, 3]), speaking('m2', [1, 4]), speaking('m3', [1, 5])])
    expect(draft.questions).toContain(
      'm1: which address of eth0 the others speak to is not written (unicast_src_ip); 10.0.0.201 is taken',
    )
  })
})
