import { expect, test } from 'vitest'

import { drawMermaid, drawText } from './draw.ts'
import { aNode, aTopology, folderWith } from './testing.ts'

const TOPOLOGY = aTopology(
  [
    aNode({ name: 'rs-1', role: 'realserver', loopback: ['10.0.0.100/32'] }),
    aNode({
      name: 'r1',
      role: 'router',
      interfaces: [
        { name: 'eth0', network: 'lan', address: '10.0.0.1', addresses: [] },
        { name: 'eth1', network: 'wan', address: '192.168.0.1', addresses: [] },
      ],
    }),
  ],
  {
    networks: [
      { name: 'lan', subnet: '10.0.0.0/24', gateway: '10.0.0.1' },
      { name: 'wan', subnet: '192.168.0.0/24', driver: 'bridge' },
    ],
  },
)

test('as text: each network, and who is on it from those who ask to those who answer', () => {
  expect(drawText(TOPOLOGY)).toBe(`lan  10.0.0.0/24  gateway 10.0.0.1
├─ r1    router      eth0  10.0.0.1
└─ rs-1  realserver  eth0  10.0.0.200  lo 10.0.0.100/32

wan  192.168.0.0/24  bridge
└─ r1  router  eth1  192.168.0.1
`)
})

test('as Mermaid', () => {
  expect(drawMermaid(TOPOLOGY)).toBe(`flowchart TB
  net_lan(["lan 10.0.0.0/24"])
  net_wan(["wan 192.168.0.0/24"])
  node_r1["r1<br/>router"]
  node_rs_1["rs-1<br/>realserver<br/>lo 10.0.0.100/32"]
  node_r1 ---|"eth0 10.0.0.1"| net_lan
  node_r1 ---|"eth1 192.168.0.1"| net_wan
  net_lan ---|"eth0 10.0.0.200"| node_rs_1
`)
})

test('with further addresses, tunnels, packages, stand-ins, routes and rules', () => {
  const files = folderWith({
    'etc/iptables/rules.v4': '*nat\n-A POSTROUTING -m comment --comment "all of it" -j MASQUERADE\n',
    'etc/ipvsadm.rules': '-A -t 10.0.0.100:80 -s rr\n',
  })
  const eth0 = { name: 'eth0', network: 'lan', address: '10.0.0.200', addresses: ['10.0.0.100/24'] }
  const topology = aTopology([
    aNode({ interfaces: [eth0], routes: ['10.9.0.0/16 via 10.0.0.1'], files }),
    aNode({
      name: 'rs1',
      role: 'realserver',
      tunnels: [{ name: 'tunl0', addresses: ['10.0.0.100/32'] }],
      packages: ['php'],
      processes: ['php-fpm8.4'],
    }),
    aNode({ name: 'rs2', role: 'realserver', loopback: ['10.0.0.1/32'], tunnels: [{ name: 'tunl0', addresses: [] }] }),
  ])
  expect(drawText(topology)).toBe(`lan  10.0.0.0/24
├─ d1   director    eth0  10.0.0.200, 10.0.0.100/24
│       ip route add 10.9.0.0/16 via 10.0.0.1
│       iptables -t nat -A POSTROUTING -m comment --comment "all of it" -j MASQUERADE
│       ipvsadm -A -t 10.0.0.100:80 -s rr
├─ rs1  realserver  eth0  10.0.0.200                 tunl0 10.0.0.100/32
│       stand-ins: php-fpm8.4
│       apt-get install php
└─ rs2  realserver  eth0  10.0.0.200                 lo 10.0.0.1/32  tunl0
`)
  expect(drawMermaid(topology).split('\n').slice(2, 4)).toEqual([
    '  node_d1["d1<br/>director<br/>ip route add 10.9.0.0/16 via 10.0.0.1<br/>iptables -t nat -A POSTROUTING -m comment --comment #quot;all of it#quot; -j MASQUERADE<br/>ipvsadm -A -t 10.0.0.100:80 -s rr"]',
    '  node_rs1["rs1<br/>realserver<br/>tunl0 10.0.0.100/32<br/>stand-ins: php-fpm8.4<br/>apt-get install php"]',
  ])
})
