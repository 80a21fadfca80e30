import { expect, test } from 'vitest'

import { drawMermaid, drawText } from './draw.ts'
import { aNode, aTopology } from './testing.ts'

const TOPOLOGY = aTopology(
  [
    aNode({ name: 'rs-1', role: 'realserver', loopback: ['10.0.0.100/32'] }),
    aNode({
      name: 'r1',
      role: 'router',
      interfaces: [
        { name: 'eth0', network: 'lan', address: '10.0.0.1' },
        { name: 'eth1', network: 'wan', address: '192.168.0.1' },
      ],
    }),
  ],
  {
    networks: [
      { name: 'lan', subnet: '10.0.0.0/24', gateway: '10.0.0.1' },
      { name: 'wan', subnet: '192.168.0.0/24' },
    ],
  },
)

test('as text: each network, and who is on it from those who ask to those who answer', () => {
  expect(drawText(TOPOLOGY)).toBe(`lan  10.0.0.0/24  gateway 10.0.0.1
├─ r1    router      eth0  10.0.0.1
└─ rs-1  realserver  eth0  10.0.0.200  lo 10.0.0.100/32

wan  192.168.0.0/24
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
