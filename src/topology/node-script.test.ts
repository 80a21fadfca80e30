import { execFileSync } from 'node:child_process'

import { describe, expect, test } from 'vitest'

import { nodeScript } from './node-script.ts'
import { aNode, aTopology } from './testing.ts'
import type { Network, Node } from './types.ts'

const LAN: Network = { name: 'lan', subnet: '10.0.0.0/24', gateway: '10.0.0.1' }
const WAN: Network = { name: 'wan', subnet: '192.168.0.0/24', gateway: '192.168.0.1' }
const ETH0 = { name: 'eth0', network: 'lan', address: '10.0.0.200', addresses: [] }
const ETH1 = { name: 'eth1', network: 'wan', address: '192.168.0.5', addresses: [] }

const scriptOf = (node: Partial<Node>, networks: Network[] = [LAN, WAN]): string => {
  const its = aNode(node)
  const script = nodeScript(aTopology([its], { networks }), its)
  execFileSync('sh', ['-n'], { input: script }) // its syntax only
  return script
}

describe('interface names', () => {
  test('a single interface is looked for only where its name is missing', () => {
    expect(scriptOf({})).toContain("\n[ -e '/sys/class/net/eth0' ] || name_interfaces\n")
  })

  test('several are known by their addresses', () => {
    const script = scriptOf({ interfaces: [ETH0, ETH1] })
    expect(script).toContain('\nname_interfaces\n')
    expect(script).toContain('10.0.0.200) have0=${dev%%@*} ;;')
    expect(script).toContain('rename "$have1" lvslab1 eth1\n')
    expect(script).toContain("fail 'no interface holds 192.168.0.5 of network wan'")
  })
})

describe('IPv6', () => {
  test('is turned on before the sysctls, which name it, where the node has an address of it', () => {
    const interfaces = [{ ...ETH0, addresses: ['fd00::200/64'] }]
    const script = scriptOf({ interfaces, sysctls: { 'net.ipv6.conf.all.forwarding': '1' } })
    expect(script).toContain('for device in all default lo eth0; do')
    expect(script.indexOf('disable_ipv6')).toBeLessThan(script.indexOf('conf/all/forwarding'))
    expect(script).toContain('later addr replace fd00::200/64 dev eth0\n')
    expect(scriptOf({ loopback: ['::100/128'] })).toContain('disable_ipv6')
  })

  test('is left as it is where it has none', () => {
    expect(scriptOf({ interfaces: [ETH0, ETH1], loopback: ['10.0.0.100/32'] })).not.toContain('ipv6')
  })
})

describe('sysctls', () => {
  test('are written after the renaming and before the addresses', () => {
    const script = scriptOf({ sysctls: { 'net.ipv4.conf.eth0.arp_ignore': '1' }, loopback: ['10.0.0.100/32'] })
    const places = [
      '|| name_interfaces\n',
      '/proc/sys/net/ipv4/conf/eth0/arp_ignore',
      'later addr replace 10.0.0.100/32 dev lo',
    ]
    expect(places.map(text => script.indexOf(text)).toSorted((a, b) => a - b)).toEqual(
      places.map(text => script.indexOf(text)),
    )
  })

  test('an interface name with a dot is written with a slash', () => {
    expect(scriptOf({ sysctls: { 'net.ipv4.conf.eth0/100.rp_filter': '0' } })).toContain("/conf/eth0.100/rp_filter'")
  })

  test('any value is quoted', () => {
    expect(scriptOf({ sysctls: { 'net.ipv4.x': "1'; reboot; '" } })).toContain(
      `printf '%s\\n' '1'\\''; reboot; '\\''' >`,
    )
  })

  test('a router forwards, and nobody else, unless told otherwise', () => {
    const forward = ">'/proc/sys/net/ipv4/ip_forward'"
    expect(scriptOf({ role: 'router' })).toContain(`'1' ${forward}`)
    expect(scriptOf({ role: 'router', sysctls: { 'net.ipv4.ip_forward': '0' } })).toContain(`'0' ${forward}`)
    expect(scriptOf({ role: 'director' })).toContain(`'0' ${forward}`)
    expect(scriptOf({ role: 'director', sysctls: { 'net.ipv4.ip_forward': '1' } })).toContain(`'1' ${forward}`)
  })
})

describe('the default route', () => {
  test('leads out by the first interface whose network has a gateway', () => {
    const script = scriptOf({ interfaces: [ETH0, ETH1] }, [{ name: 'lan', subnet: LAN.subnet }, WAN])
    expect(script).toContain('[ "$dev $gateway" = "eth1 0100A8C0" ]')
    expect(script).toContain('later route add default via 192.168.0.1 dev eth1')
  })

  test('is taken away where there is no gateway, also from the gateway itself', () => {
    for (const script of [
      scriptOf({}, [{ name: 'lan', subnet: LAN.subnet }]),
      scriptOf({}, [{ ...LAN, gateway: ETH0.address }]),
    ]) {
      expect(script).toContain('later route del default')
      expect(script).not.toContain('route add default')
    }
  })

  test("is the user's where the user wrote one", () => {
    const script = scriptOf({ routes: ['default via 10.0.0.254'] })
    expect(script).not.toContain('/proc/net/route')
    expect(script).toContain('later route replace default via 10.0.0.254\n')
  })
})

describe('addresses', () => {
  test('further ones, those of lo and those of tunnels come after the sysctls and before the routes', () => {
    const script = scriptOf({
      interfaces: [{ ...ETH0, addresses: ['172.25.12.100/24'] }],
      loopback: ['10.0.0.100/32'],
      tunnels: [
        { name: 'tunl0', addresses: ['10.0.0.101/32'] },
        { name: 'ip6tnl0', addresses: ['fd00::101/128'] },
      ],
      sysctls: { 'net.ipv4.conf.tunl0.rp_filter': '0' },
      routes: ['10.9.0.0/16 dev tunl0'],
    })
    const lines = [
      '\n[ -e /sys/class/net/tunl0 ] || ip link add name tunl0 type ipip 2>/dev/null || ',
      "fail 'the kernel has made no tunl0: the module ipip is not loaded'\n",
      '\n[ -e /sys/class/net/ip6tnl0 ] || ip link add name ip6tnl0 type ip6tnl 2>/dev/null || ',
      "fail 'the kernel has made no ip6tnl0: the module ip6_tunnel is not loaded'\n",
      '\n    echo 0 >"/proc/sys/net/ipv6/conf/$device/$setting"',
      "\nprintf '%s\\n' '0' >'/proc/sys/net/ipv4/conf/tunl0/rp_filter'",
      '\nlater addr replace 172.25.12.100/24 dev eth0\n',
    ]
    const places = lines.map(line => script.indexOf(line))
    expect(places).toEqual(places.filter(place => place >= 0).toSorted((a, b) => a - b))
    const added = script.match(/^later (?:addr|link|route replace) .*/gm)
    expect(added).toEqual([
      'later addr replace 172.25.12.100/24 dev eth0',
      'later addr replace 10.0.0.100/32 dev lo',
      'later link set tunl0 up',
      'later addr replace 10.0.0.101/32 dev tunl0',
      'later link set ip6tnl0 up',
      'later addr replace fd00::101/128 dev ip6tnl0',
      'later route replace 10.9.0.0/16 dev tunl0',
    ])
  })

  test('the metric is that of the route to the network of an interface', () => {
    expect(scriptOf({ interfaces: [{ ...ETH0, metric: 100 }] })).toContain(
      'later addr replace 10.0.0.200/24 dev eth0 metric 100\n',
    )
    expect(scriptOf({})).not.toContain('metric')
  })
})

test.each<[string, Partial<Node>]>([
  ['route', { routes: ['10.9.0.0/16 via $(id)'] }],
  ['loopback address', { loopback: ['10.0.0.100/32\nroute del default'] }],
  ['interface name', { interfaces: [{ ...ETH0, name: 'a b' }] }],
])('a %s that is no plain word is refused', (_, node) => {
  expect(() => scriptOf(node)).toThrow(expect.objectContaining({ code: 'TOPOLOGY_INVALID' }))
})
