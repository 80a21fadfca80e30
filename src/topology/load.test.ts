import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { loadTopology } from './load.ts'
import { changed, failure, folderWith, PAIR, problems } from './testing.ts'

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

  test('has what `arp` says among its sysctls', () => {
    const yaml = PAIR.replace('net.ipv4.conf.all.arp_ignore: 1, ', '').replace(
      'sysctls: {',
      'arp: { ignore: 1, announce: 2 }\n    sysctls: {',
    )
    expect(loadTopology(folderWith({ 'topology.yaml': yaml })).nodes[1]?.sysctls).toEqual({
      'net.ipv4.conf.all.arp_ignore': '1',
      'net.ipv4.conf.all.arp_announce': '2',
      'net.ipv4.ip_local_port_range': '1024 65000',
    })
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
      "    iptables: [-A INPUT -j DROP, iptables -A INPUT -j DROP]\n    routes: ['",
      '18:34 iptables[1] "iptables -A INPUT -j DROP" must be [-t TABLE] -A CHAIN ... as for iptables, e.g. -t mangle -A PREROUTING -d 10.0.0.100 -p tcp --dport 80 -j MARK --set-mark 50',
    ],
    [
      "    routes: ['",
      "    iptables: ['-t mangl -A INPUT -j DROP']\n    routes: ['",
      '18:16 iptables[0] "-t mangl -A INPUT -j DROP" must be [-t TABLE] -A CHAIN ... as for iptables, e.g. -t mangle -A PREROUTING -d 10.0.0.100 -p tcp --dport 80 -j MARK --set-mark 50',
    ],
    [
      "    routes: ['",
      "    packages: [php-fpm, '-y; reboot', Wordpress, 7, x]\n    routes: ['",
      '18:25 packages[1] "-y; reboot" must be the name of a Debian package: lower-case letters, digits, "+", "-" and ".", two at least, a letter or digit first',
    ],
    [
      "    routes: ['",
      "    processes: [haproxy, kube-controller-manager]\n    routes: ['",
      '18:26 processes[1] "kube-controller-manager" must be the name of a process as pgrep -x takes it, at most 15 characters, e.g. haproxy',
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
    ['sysctls: {', 'arp: { ignore: 9 }\n    sysctls: {', expect.stringMatching(/^17:20 Invalid option 9 for ignore/)],
    ['sysctls: {', 'arp: { anounce: 2 }\n    sysctls: {', '17:12 unknown key "anounce"; did you mean "announce"?'],
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
    ['name: a\nname: b\n', '2:1 "name" stands here already'],
    ['name: a\n---\nname: b\n', '2:1 a second document begins here; one file has one topology'],
    ['name: a\nnodes:\n\td1:\n\t\trole: director\n', '3:1 a tab in front; YAML takes spaces alone'],
    ['name: [a\nnodes: {}\n', /^2:1 Flow sequence in block collection must be/],
    ['name: *nobody\n', /^1:1 Unresolved alias.*nobody/],
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

describe('the folders', () => {
  test('one that belongs to no node is a misspelled node', () => {
    const [line] = problems(PAIR, { 'rs11/etc/motd': '' })
    expect(line).toMatch(/rs11\/ is the folder of no node; did you mean "rs1"\?$/)
  })

  test('rules of the packet filter stand in one place', () => {
    const yaml = PAIR.replace("    routes: ['", "    iptables: ['-P FORWARD DROP']\n    routes: ['")
    expect(problems(yaml, { 'rs1/etc/iptables/rules.v4': '' })).toEqual([
      expect.stringMatching(/^18:5 iptables: rs1 has \S+rs1\/etc\/iptables\/rules\.v4 as well; keep one of them$/),
    ])
    const { nodes } = loadTopology(folderWith({ 'topology.yaml': yaml }))
    expect(nodes.map(node => node.iptables)).toEqual([undefined, ['-P FORWARD DROP']])
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
    expect(failure(folderWith({ 'topology.yml': PAIR }))).toMatchObject({
      code: 'TOPOLOGY_NOT_FOUND',
      remedy: 'call it topology.yaml',
    })
  })
})
