import { describe, expect, test } from 'vitest'

import { loadTopology } from './load.ts'
import { changed, folderWith, PAIR, problems } from './testing.ts'

describe('the meaning', () => {
  test.each([
    ['network: wan', 'network: wam', '12:24 network "wam" does not exist; did you mean "wan"?'],
    ['network: wan', 'network: office', '12:24 network "office" does not exist; networks: "lan", "wan", "dmz"'],
    ['address: 10.0.0.10 ', 'address: 10.0.1.10 ', '15:50 address 10.0.1.10 is outside network lan (10.0.0.0/24)'],
    [
      'address: 10.0.0.10 ',
      'address: 10.0.0.0 ',
      '15:50 address 10.0.0.0 is the network address of network lan (10.0.0.0/24)',
    ],
    [
      'address: 10.0.0.10 ',
      'address: 10.0.0.255 ',
      '15:50 address 10.0.0.255 is the broadcast address of network lan (10.0.0.0/24)',
    ],
    ['address: 10.0.0.10 ', 'address: 10.0.0.200 ', '15:50 address 10.0.0.200 is taken by d1 eth0 (line 11)'],
    [
      'network: wan, address: 192.168.0.5',
      'network: lan, address: 10.0.0.9',
      '12:24 eth0 is on network lan already: one interface per network',
    ],
    ['172.16.0.0/24', '10.0.0.128/25', '6:18 subnet 10.0.0.128/25 overlaps 10.0.0.0/24 of network lan (line 4)'],
    ['172.16.0.0/24', '172.16.0.1/24', '6:18 subnet 172.16.0.1/24 has host bits set; did you mean "172.16.0.0/24"?'],
    ['172.16.0.0/24', '192.168.0.4/31', '6:18 subnet 192.168.0.4/31 must have a prefix of /8 to /30'],
    [
      '172.16.0.0/24',
      '224.0.0.0/24',
      '6:18 subnet 224.0.0.0/24 is loopback, multicast or reserved: no node can have an address in it',
    ],
    ['gateway: 10.0.0.1 ', 'gateway: 10.1.0.1 ', '4:40 gateway 10.1.0.1 is outside network lan (10.0.0.0/24)'],
    ['  d1:', '  agent:', '8:3 node name "agent" is reserved; choose another'],
    [/nodes:[^]*/, 'nodes: {}', '7:8 a topology needs at least one node'],
    [/interfaces: {.*/, 'interfaces: {}', '15:17 a node needs at least one interface'],
    [
      'sysctls: {',
      'arp: { announce: 2, ignore: 1 }\n    sysctls: {',
      '17:33 net.ipv4.conf.all.arp_ignore stands below sysctls as well',
    ],
    [
      'conf.all.arp_ignore',
      'conf.eth1.arp_ignore',
      '17:16 sysctl "net.ipv4.conf.eth1.arp_ignore" names no interface of the node; did you mean "eth0"?',
    ],
    [
      '10.9.0.0/16  via',
      '10.9.0.1/16 via',
      '18:14 route "10.9.0.1/16 via 10.0.0.1": host bits set in the destination; did you mean "10.9.0.0/16"?',
    ],
    [
      'via 10.0.0.1',
      'via 10.7.0.1',
      '18:14 route "10.9.0.0/16  via 10.7.0.1": gateway 10.7.0.1 is on none of the node\'s networks',
    ],
    [
      'via 10.0.0.1',
      'vai 10.0.0.1',
      '18:14 route "10.9.0.0/16  vai 10.0.0.1": unknown word "vai"; did you mean "via"?',
    ],
    [
      'via 10.0.0.1',
      'dev eth7',
      '18:14 route "10.9.0.0/16  dev eth7": the node has no interface "eth7"; did you mean "eth0"?',
    ],
    ['172.17.0.1/16', '172.17.0.0/16', "12:63 172.17.0.0/16 is a network's address, not a host's"],
    ['172.17.0.1/16', '172.17.255.255/16', '12:63 172.17.255.255/16 is a broadcast address'],
    ['[10.0.0.100/32]\n    sysctls', '[10.0.0.7/32, 10.0.0.7/32]\n    sysctls', '16:29 10.0.0.7/32 is on lo already'],
    [
      'via 10.0.0.1',
      'dev tunl1',
      '18:14 route "10.9.0.0/16  dev tunl1": the node has no interface "tunl1"; did you mean "tunl0"?',
    ],
    ['[172.17.0.1/16]', "['fd00:0::1/64']", '12:63 write fd00:0::1/64 as everybody does: "fd00::1/64"'],
    ['[10.0.0.100/32]\n    sysctls', "['::7/128', '::7/128']\n    sysctls", '16:27 ::7/128 is on lo already'],
    [
      '10.9.0.0/16  via 10.0.0.1',
      'fd00:9::/129 via fd00::1',
      '18:14 route "fd00:9::/129 via fd00::1": must be DESTINATION via GATEWAY [dev INTERFACE], e.g. fd00:9::/64 via fd00::1',
    ],
    [
      '10.9.0.0/16  via 10.0.0.1',
      'fd00:9::/64 via 10.0.0.1',
      '18:14 route "fd00:9::/64 via 10.0.0.1": gateway "10.0.0.1" is not an IPv6 address',
    ],
    [
      '10.9.0.0/16  via 10.0.0.1',
      'default via fe80::1',
      '18:14 route "default via fe80::1": gateway fe80::1 is on every link: it needs "dev INTERFACE"',
    ],
    ['via 10.0.0.1', 'via $(id)', '18:14 route "10.9.0.0/16  via $(id)": "via" needs a value after it'],
  ])('%j as %j', (from, to, message) => {
    expect(changed(from, to)).toEqual([message])
  })

  test('a gateway may be in the subnet of a further address, and a route may lead into a tunnel', () => {
    const yaml = PAIR.replace('tunl0: [10.0.0.100/32]', 'tunl0: [10.8.0.1/24]')
      .replace('metric: 100 }', "metric: 100 }\n    routes: ['10.9.0.0/16 via 172.17.9.9']")
      .replace('via 10.0.0.1', 'dev tunl0')
    const { nodes } = loadTopology(folderWith({ 'topology.yaml': yaml }))
    expect(nodes.map(node => node.routes)).toEqual([['10.9.0.0/16 via 172.17.9.9'], ['10.9.0.0/16 dev tunl0']])
  })

  test('IPv6 addresses stand beside the others, and routes may lead through them', () => {
    const yaml = PAIR.replace('[172.17.0.1/16]', "[172.17.0.1/16, 'fd00::1/64']")
      .replace('[10.0.0.100/32]\n    sysctls', "['fd00::100/128']\n    sysctls")
      .replace('10.9.0.0/16  via 10.0.0.1', 'fd00:9::/64 via fe80::1 dev eth0')
    const { nodes } = loadTopology(folderWith({ 'topology.yaml': yaml }))
    const [first, second] = nodes
    expect(first?.interfaces.flatMap(its => its.addresses)).toContain('fd00::1/64')
    expect([second?.loopback, second?.routes]).toEqual([['fd00::100/128'], ['fd00:9::/64 via fe80::1 dev eth0']])
  })

  test('packages are names, each once; a node without any has no list', () => {
    const packages = (list: string) => PAIR.replace("    routes: ['", `    packages: ${list}\n    routes: ['`)
    const names = (list: string) =>
      loadTopology(folderWith({ 'topology.yaml': packages(list) })).nodes.map(node => node.packages)
    expect(names('[php-fpm, g++, libc6.1]')).toEqual([undefined, ['php-fpm', 'g++', 'libc6.1']])
    expect(names('[]')).toEqual([undefined, undefined])
    expect(problems(packages('[php-fpm, curl, php-fpm]'))).toEqual(['18:31 "php-fpm" stands here already'])
  })

  test('stand-ins have names of processes, each once', () => {
    const processes = (list: string) => PAIR.replace("    routes: ['", `    processes: ${list}\n    routes: ['`)
    const { nodes } = loadTopology(folderWith({ 'topology.yaml': processes('[haproxy, kube-apiserver]') }))
    expect(nodes.map(node => node.processes)).toEqual([undefined, ['haproxy', 'kube-apiserver']])
    expect(problems(processes('[haproxy, haproxy]'))).toEqual(['18:26 "haproxy" stands here already'])
    expect(problems(processes('[keepalived, apache2]'))).toEqual(['18:29 "apache2" is what a realserver runs itself'])
  })

  test('every error is told at once, in the order of the file', () => {
    const yaml = PAIR.replace('10.0.0.1 }', '10.1.0.1 }')
      .replace('role: director', 'role: directr')
      .replace('network: wan', 'network: wam')
      .replace('loopback', 'lopback')
    expect(problems(yaml, { 'rs2/etc/motd': '' }).map(line => line.slice(0, 40))).toEqual([
      '4:40 gateway 10.1.0.1 is outside network',
      '9:11 Invalid option "directr" for role; ',
      '12:24 network "wam" does not exist; did ',
      '16:5 unknown key "lopback"; did you mean',
      expect.stringMatching(/.+/),
    ])
  })

  test('no more problems are listed than people read', () => {
    const yaml = PAIR + Array.from({ length: 60 }, (_, n) => `  x${n}: {}\n`).join('')
    expect(problems(yaml)).toHaveLength(51)
    expect(problems(yaml).at(-1)).toBe('... and 70 more')
  })
})
