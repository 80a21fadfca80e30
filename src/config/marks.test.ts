import { expect, it } from 'vitest'
import { markedBy, marksOf } from './marks.ts'

const RULE =
  'iptables -t mangle -A PREROUTING -d 10.0.0.100/32 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 50'

it('reads what a rule marks, however it is spelled', () => {
  const both = { address: '10.0.0.100', protocol: 'TCP', ports: [80, 443], mark: 50 }
  expect(markedBy([RULE])).toEqual([both])
  expect(markedBy([RULE.replace('/32', '').replace('-d', '--destination').replace('-j', '--jump')])).toEqual([both])
  // as iptables-save writes it
  expect(markedBy([RULE.replace('--set-mark 50', '--set-xmark 0x32/0xffffffff')])).toEqual([both])
  expect(markedBy([RULE.replace('-m multiport --dports 80,443', '-m tcp --dport 443')])).toEqual([
    { ...both, ports: [443] },
  ])
  expect(markedBy([RULE.replace('-p tcp', '-p udp')])).toEqual([{ ...both, protocol: 'UDP' }])
})

it.for([
  ['another table', RULE.replace('mangle', 'raw')],
  ['another chain', RULE.replace('PREROUTING', 'OUTPUT')],
  ['another protocol', RULE.replace('-p tcp', '-p sctp')],
  ['another target', RULE.replace('-j MARK --set-mark 50', '-j ACCEPT')],
  ['another tool', RULE.replace('iptables', 'ip6tables')],
  ['a subnet', RULE.replace('/32', '/24')],
  ['one more condition', `${RULE} -s 10.0.0.50`],
  ['a negation', RULE.replace('-d', '! -d')],
  ['a part of the mark', RULE.replace('--set-mark 50', '--set-xmark 0x32/0xff')],
  ['a range of ports', RULE.replace('80,443', '80:443')],
  ['no port', RULE.replace('-m multiport --dports 80,443 ', '')],
  ['no table', 'iptables -A INPUT -p tcp --dport 80 -j ACCEPT'],
])('passes over a rule with %s', ([, rule]) => {
  expect(markedBy([rule ?? ''])).toEqual([])
})

it('tells which marks are set, by whatever packets are chosen', () => {
  const loose = 'iptables -t mangle -A PREROUTING -d 10.0.0.0/24 -i eth0 -j MARK --or-mark 0x7'
  expect(marksOf([loose])).toEqual([{ mark: 7, family: 4, address: '10.0.0.0' }])
  const six = 'ip6tables -t mangle -A PREROUTING -d 2001:db8::9/128 -p tcp -j MARK --set-xmark 0x8/0xffffffff'
  expect(marksOf([six])).toEqual([{ mark: 8, family: 6, address: '2001:db8::9' }])
  expect(marksOf([loose.replace('MARK', 'CONNMARK'), loose.replace('MARK --or-mark 0x7', 'ACCEPT')])).toEqual([])
})
