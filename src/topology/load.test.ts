import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { LvslabError } from '../errors.ts'
import { loadTopology } from './load.ts'
import { folderWith } from './testing.ts'

const PAIR = `name: pair
summary: A pair
networks:
  lan: { subnet: 10.0.0.0/24, gateway: 10.0.0.1 }
  wan: { subnet: 192.168.0.0/24 }
  dmz: { subnet: 172.16.0.0/24 }
nodes:
  d1:
    role: director
    interfaces:
      eth0: { network: lan, address: 10.0.0.200 }
      eth1: { network: wan, address: 192.168.0.5, addresses: [172.17.0.1/16], metric: 100 }
  rs1:
    role: realserver
    interfaces: { eth0: { network: lan, address: 10.0.0.10 } }
    loopback: [10.0.0.100/32]
    sysctls: { net.ipv4.conf.all.arp_ignore: 1, net.ipv4.ip_local_port_range: 1024 65000 }
    routes: ['10.9.0.0/16  via 10.0.0.1']
    tunnels: { tunl0: [10.0.0.100/32] }
`

const failure = (dir: string): LvslabError => {
  try {
    loadTopology(dir)
  } catch (error) {
    if (error instanceof LvslabError) return error
    throw error
  }
  throw new Error('it loaded')
}

/** The problems of a text, without the file's name: `4:11 Invalid option ...`. */
const problems = (yaml: string, files: Record<string, string> = {}): string[] => {
  const error = failure(folderWith({ 'topology.yaml': yaml, ...files }))
  expect(error).toMatchObject({
    code: 'TOPOLOGY_INVALID',
    exitCode: 2,
    remedy: expect.stringContaining('topology.schema.json'),
  })
  return error.message.split('\n').map(line => line.replace(/^\S*topology\.yaml:/, ''))
}

/** PAIR with one piece of it written otherwise. */
const changed = (from: string | RegExp, to: string): string[] => {
  const yaml = PAIR.replace(from, to)
  expect(yaml).not.toBe(PAIR)
  return problems(yaml)
}

describe('expect', () => {
  const expecting = (lines: string): string => `${PAIR}expect:\n${lines}`
  const at = (lines: number): number => PAIR.split('\n').length + lines

  test('has limits with the line that each stands on', () => {
    const dir = folderWith({ 'topology.yaml': expecting('  removal: 1500ms\n  gap: 3s # clients wait no longer\n') })
    expect(loadTopology(dir).expect).toEqual([
      { name: 'gap', maxMs: 3_000, at: `topology.yaml:${at(2)}` },
      { name: 'removal', maxMs: 1_500, at: `topology.yaml:${at(1)}` },
    ])
  })

  test.each<[string, string]>([
    ['gap: 3', '8 gap 3 must be a number above 0 with ms, s, m or h, e.g. 90s'],
    ['gap: 0s', '8 gap "0s" must be a number above 0 with ms, s, m or h, e.g. 90s'],
    ['gap: -3s', '8 gap "-3s" must be a number above 0 with ms, s, m or h, e.g. 90s'],
    ['gap: 3 seconds', '8 gap "3 seconds" must be a number above 0 with ms, s, m or h, e.g. 90s'],
    ['fialover: 3s', '3 unknown key "fialover"; did you mean "failover"?'],
  ])('%s is no limit', (line, message) => {
    expect(problems(expecting(`  ${line}\n`))).toEqual([`${at(1)}:${message}`])
  })
})

describe('a sound topology', () => {
  test('comes with every default filled in', () => {
    const dir = folderWith({ 'topology.yaml': PAIR, 'd1/etc/motd': 'hello', '.git/HEAD': '', 'README.md': '' })
    expect(loadTopology(dir)).toEqual({
      name: 'pair',
      summary: 'A pair',
      dir,
      networks: [
        { name: 'lan', subnet: '10.0.0.0/24', gateway: '10.0.0.1' },
        { name: 'wan', subnet: '192.168.0.0/24' },
        { name: 'dmz', subnet: '172.16.0.0/24' },
      ],
      nodes: [
        {
          name: 'd1',
          role: 'director',
          interfaces: [
            { name: 'eth0', network: 'lan', address: '10.0.0.200', addresses: [] },
            { name: 'eth1', network: 'wan', address: '192.168.0.5', addresses: ['172.17.0.1/16'], metric: 100 },
          ],
          loopback: [],
          tunnels: [],
          sysctls: {},
          routes: [],
          files: join(dir, 'd1'),
        },
        {
          name: 'rs1',
          role: 'realserver',
          interfaces: [{ name: 'eth0', network: 'lan', address: '10.0.0.10', addresses: [] }],
          loopback: ['10.0.0.100/32'],
          tunnels: [{ name: 'tunl0', addresses: ['10.0.0.100/32'] }],
          sysctls: { 'net.ipv4.conf.all.arp_ignore': '1', 'net.ipv4.ip_local_port_range': '1024 65000' },
          routes: ['10.9.0.0/16 via 10.0.0.1'],
        },
      ],
    })
    expect(loadTopology(join(dir, 'topology.yaml'))).toEqual(loadTopology(dir))
  })

  test('may share parts by anchors and merge keys', () => {
    const yaml = PAIR.replace('  rs1:\n', '  rs1: &rs\n').concat(
      '  rs2:\n    <<: *rs\n    interfaces: { eth0: { network: lan, address: 10.0.0.20 } }\n',
    )
    expect(loadTopology(folderWith({ 'topology.yaml': yaml })).nodes[2]).toMatchObject({
      name: 'rs2',
      role: 'realserver',
      loopback: ['10.0.0.100/32'],
    })
  })
})

describe('the form', () => {
  test.each<[string, string, string]>([
    ['role: director', 'role: directr', '9:11 Invalid option "directr" for role; did you mean "director"?'],
    [
      'role: director',
      'role: switch',
      '9:11 Invalid option "switch" for role; options: "director", "realserver", "client", "router"',
    ],
    [
      'role: director\n',
      'role:\n',
      '9:5 Invalid option null for role; options: "director", "realserver", "client", "router"',
    ],
    ['    role: director\n', '', '8:3 missing key "role"'],
    [
      "    routes: ['",
      "    packages: [php-fpm, '-y; reboot', Wordpress, 7, x]\n    routes: ['",
      '18:25 packages[1] "-y; reboot" must be the name of a Debian package: lower-case letters, digits, "+", "-" and ".", two at least, a letter or digit first',
    ],
    ['loopback: [', 'lopback: [', '16:5 unknown key "lopback"; did you mean "loopback"?'],
    ['summary: A', 'zzz: A', '2:1 unknown key "zzz"; keys here: "name", "summary", "networks", "nodes", "expect"'],
    [
      'name: pair',
      'name: My_Pair',
      '1:7 name "My_Pair" must be a host name: at most 32 lower-case letters, digits and inner hyphens',
    ],
    [
      '  d1:',
      '  d_1:',
      '8:3 node name "d_1" must be a host name: at most 32 lower-case letters, digits and inner hyphens',
    ],
    ['loopback: [10.0.0.100/32]', 'loopback: 10.0.0.100/32', '16:15 loopback must be a list, not "10.0.0.100/32"'],
    [
      '[10.0.0.100/32]',
      '[10.0.0.100]',
      '16:16 loopback[0] "10.0.0.100" must be an address with prefix, e.g. 10.0.0.100/32 or fd00::100/128',
    ],
    [
      '10.0.0.200 }',
      '10.0.0.200/24 }',
      '11:38 address "10.0.0.200/24" must be an IPv4 address without prefix, e.g. 10.0.0.10',
    ],
    [
      'eth1:',
      'an-interface-name:',
      expect.stringMatching(/^12:7 interface name "an-interface-name" must be 1 to 15 letters, digits, /),
    ],
    [
      'net.ipv4.conf.all.arp_ignore',
      'kernel.panic',
      '17:16 sysctl "kernel.panic" must begin with "net.": other sysctls are not a node\'s own but the whole kernel\'s',
    ],
    [
      'arp_ignore: 1',
      'arp_ignore: true',
      '17:46 net.ipv4.conf.all.arp_ignore true must be a number or one line of text',
    ],
    [
      '[172.17.0.1/16]',
      '[172.17.0.1]',
      '12:63 addresses[0] "172.17.0.1" must be an address with prefix, e.g. 10.0.0.100/32 or fd00::100/128',
    ],
    ['metric: 100', 'metric: 0', '12:87 metric 0 must be 1 or more'],
    ['tunl0:', 'tun0:', '19:16 unknown key "tun0"; did you mean "tunl0"?'],
    [
      'tunl0: [10',
      'ip6tnl0: [10',
      '19:26 ip6tnl0[0] "10.0.0.100/32" must be an IPv6 address with prefix, e.g. fd00::100/128',
    ],
    [
      'tunl0: [10',
      'tunl0: [x10',
      '19:24 tunl0[0] "x10.0.0.100/32" must be an IPv4 address with prefix, e.g. 10.0.0.100/32',
    ],
    ['summary: A pair', 'summary: 7', '2:10 summary must be text, not 7'],
    [
      'subnet: 192.168.0.0/24',
      'subnet: 192.168.0.0',
      '5:18 subnet "192.168.0.0" must be an IPv4 subnet, e.g. 10.0.0.0/24',
    ],
  ])('%j as %j', (from, to, message) => {
    expect(changed(from, to)).toContainEqual(message)
  })

  test.each<[string, string | RegExp]>([
    ['', '1:1 the file is empty'],
    ['just text', '1:1 a topology must be a mapping, not "just text"'],
    ['name: a\nname: b\n', '2:1 Map keys must be unique'],
    ['name: [a\nnodes: {}\n', /^2:1 Flow sequence in block collection must be/],
    ['name: *nobody\n', /^1:1 Unresolved alias.*nobody/],
    ['a: 1\n---\nb: 2\n', /^2:1 Source contains multiple documents/],
    ['__proto__: { name: x }\n', '1:1 unknown key "__proto__"'],
    [`a: ${'['.repeat(5_000)}`, /^1:1 nested too deeply/],
    [`# ${'x'.repeat(1024 * 1024)}`, /^1:1 the file has 1048578 bytes; at most 1048576 are read/],
  ])('%s', (yaml, message) => {
    expect(problems(yaml)[0]).toMatch(message)
  })

  test('an alias bomb does not go off', () => {
    const levels = Array.from(
      { length: 12 },
      (_, n) =>
        `l${n}: &l${n} [${Array(12)
          .fill(n ? `*l${n - 1}` : 'x')
          .join()}]`,
    )
    expect(problems(levels.join('\n'))[0]).toMatch(/^1:1 Excessive alias count/)
  })
})

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

describe('the folders', () => {
  test('one that belongs to no node is a misspelled node', () => {
    const [line] = problems(PAIR, { 'rs11/etc/motd': '' })
    expect(line).toMatch(/rs11\/ is the folder of no node; did you mean "rs1"\?$/)
  })

  test('what stands in the place of one must be one', () => {
    expect(problems(PAIR, { rs1: '' })[0]).toMatch(/rs1 must be a folder: it holds the files of node rs1$/)
    const dir = folderWith({ 'topology.yaml': PAIR, 'd1/etc/motd': '' })
    symlinkSync('d1', join(dir, 'rs1'))
    expect(failure(dir).message).toMatch(/rs1 must be a folder/)
  })
})

describe('where there is none', () => {
  test('the one that was meant is named', () => {
    const dir = folderWith({ 'keepalived-dr/topology.yaml': PAIR, 'nat/topology.yaml': PAIR })
    const error = failure(join(dir, 'keepalived-rd'))
    expect(error).toMatchObject({ code: 'TOPOLOGY_NOT_FOUND', exitCode: 2 })
    expect(error.message).toMatch(/keepalived-rd does not exist$/)
    expect(error.remedy).toBe(`did you mean ${join(dir, 'keepalived-dr')}?`)
    expect(failure(join(dir, 'keepalived-rd/topology.yaml')).remedy).toBe(error.remedy)
  })

  test('its neighbours are listed', () => {
    const dir = folderWith({ 'dr/topology.yaml': PAIR, 'nat/topology.yaml': PAIR })
    expect(failure(join(dir, 'something')).remedy).toBe(`topologies nearby: ${join(dir, 'dr')}, ${join(dir, 'nat')}`)
    expect(failure(dir).remedy).toBe(
      `topologies nearby: ${join(dir, 'dr')}, ${join(dir, 'nat')}; from keepalived.conf files: lvslab derive ${dir} --to NEW-FOLDER`,
    )
  })

  test('a folder without one is named', () => {
    const dir = folderWith({})
    mkdirSync(join(dir, 'd1'))
    expect(failure(dir)).toMatchObject({ code: 'TOPOLOGY_NOT_FOUND', message: `${dir} holds no topology.yaml` })
  })
})
