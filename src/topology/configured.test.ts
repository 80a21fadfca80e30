import { expect, test } from 'vitest'

import { configuredOf } from './configured.ts'
import { aNode, folderWith } from './testing.ts'

const VRRP = `vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 50
  priority 100
  virtual_ipaddress { 10.0.0.100/24 }
}
`
const server = (n: number): string => `  real_server 10.0.0.${n} 80 { weight ${n} }\n`
const service = (port: number, ...servers: number[]): string =>
  `virtual_server 10.0.0.100 ${port} {\n  lb_algo wlc\n  lb_kind DR\n  persistence_timeout 50\n  protocol TCP\n${servers.map(server).join('')}}\n`
const director = (file: string, text: string) => aNode({ role: 'director', files: folderWith({ [file]: text }) })
const keepalived = (text: string) => director('etc/keepalived/keepalived.conf', text)

test('of keepalived: instances and services', () => {
  const sorry = service(80, 1, 2).replace('protocol TCP', 'protocol TCP\n  sorry_server 127.0.0.1 80')
  expect(configuredOf(keepalived(VRRP + sorry))).toEqual([
    'VI_1 10.0.0.100/24 dev eth0, VRID 50, priority 100',
    '10.0.0.100:80/TCP wlc persistent 50 DR -> 10.0.0.1:80, 10.0.0.2:80 weight 2; sorry 127.0.0.1:80',
  ])
})

test('of keepalived: addresses that it has for good', () => {
  const given = 'static_ipaddress {\n 10.0.0.7/24 dev eth1\n 10.0.0.8/32 dev lo\n}\n'
  expect(configuredOf(keepalived(given))).toEqual(['static_ipaddress 10.0.0.7/24 dev eth1, 10.0.0.8/32 dev lo'])
})

test('many are counted', () => {
  const many = Array.from({ length: 11 }, (_, n) => service(80 + n, 1))
  const servers = service(99, ...Array.from({ length: 10 }, (_, n) => n + 1))
  const lines = configuredOf(keepalived([servers, ...many].join('')))
  expect(lines).toHaveLength(9)
  expect(lines[0]).toMatch(/10\.0\.0\.8:99 weight 8, and 2 servers more$/)
  expect(lines.at(-1)).toBe('and 4 services more')
})

test('of ldirectord: the services', () => {
  const text = 'virtual=10.0.0.100:80\n\treal=10.0.0.10:80 gate\n\tscheduler=rr\n\tprotocol=tcp\n'
  expect(configuredOf(director('etc/ha.d/ldirectord.cf', text))).toEqual(['10.0.0.100:80/TCP rr DR -> 10.0.0.10:80'])
})

test('of nobody else, and not where it cannot be read', () => {
  expect(configuredOf(aNode({ role: 'director' }))).toEqual([])
  expect(configuredOf(director('etc/ipvsadm.rules', '-A -t 10.0.0.100:80 -s rr\n'))).toEqual([])
  expect(configuredOf(keepalived(VRRP.replace('interface eth0\n', '')))).toEqual([])
})
