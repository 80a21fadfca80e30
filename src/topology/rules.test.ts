import { expect, test } from 'vitest'

import { iptablesFile, rulesOf } from './rules.ts'
import { aNode, folderWith } from './testing.ts'

test('rules in the words of iptables, as the file that iptables-restore takes', () => {
  const iptables = [
    '-t nat -A PREROUTING -d 198.51.100.3 -j DNAT --to-destination 10.0.1.100',
    '-A INPUT -p vrrp -j DROP',
    '-t nat -N web',
  ]
  expect(rulesOf(aNode({ iptables }))).toEqual(iptables.map(rule => `iptables ${rule}`))
  expect(iptablesFile(iptables)).toBe(`*nat
-A PREROUTING -d 198.51.100.3 -j DNAT --to-destination 10.0.1.100
-N web
COMMIT
*filter
-A INPUT -p vrrp -j DROP
COMMIT
`)
})

test('the rules that a node loads, as commands', () => {
  const files = folderWith({
    'etc/iptables/rules.v4': `# marks
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 10.0.0.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 50
COMMIT
*filter
-A INPUT -p vrrp -j DROP
COMMIT
`,
    'etc/arptables.rules': '*filter\n:INPUT ACCEPT\n-A INPUT -d 10.0.0.100 -j DROP\n',
    'etc/ipvsadm.rules': '-A -t 10.0.0.100:80 -s rr\n-a -t 10.0.0.100:80 -r 10.0.0.10:80 -g -w 1\n',
  })
  expect(rulesOf(aNode({ files }))).toEqual([
    'iptables -t mangle -A PREROUTING -d 10.0.0.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 50',
    'iptables -A INPUT -p vrrp -j DROP',
    'arptables -A INPUT -d 10.0.0.100 -j DROP',
    'ipvsadm -A -t 10.0.0.100:80 -s rr',
    'ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.10:80 -g -w 1',
  ])
  expect(rulesOf(aNode({ files: folderWith({ 'etc/motd': '' }) }))).toEqual([])
  expect(rulesOf(aNode())).toEqual([])
})
