import { expect, it } from 'vitest'
import { findingsIn, instance, placesOf, service, TOPOLOGY } from '../testing.ts'

it('finds words of a sorry server before there is one', () => {
  const places = (lines: string) => placesOf(findingsIn({ 'a.conf': service(lines) }))
  const sorry = '  sorry_server 10.0.0.9 80\n'
  expect(places(`  sorry_server_lvs_method DR\n${sorry}`)).toEqual(['a.conf:5:3 line-ignored'])
  expect(places('  sorry_server_inhibit')).toEqual(['a.conf:5:3 line-ignored'])
  expect(places(`${sorry}  sorry_server_lvs_method DR\n  sorry_server_inhibit`)).toEqual([])
})

it('finds a sorry server of a topology that gets packets to a VIP which it does not hold', () => {
  const file = 'd1/etc/keepalived/keepalived.conf'
  const sorry = service('  sorry_server 10.0.0.11 80').replace('NAT', 'DR')
  const codes = (topology: string) =>
    placesOf(findingsIn({ 'topology.yaml': topology, [file]: instance() + sorry }), 'sorry-unreachable')
  expect(codes(TOPOLOGY)).toEqual([`${file}:14:3 sorry-unreachable`])
  expect(codes(TOPOLOGY.replace('{ role: realserver,', '{ role: realserver, loopback: [10.0.0.100/32],'))).toEqual([])
})

it('tells a place once, however many services of a group it stands for', () => {
  const group = `virtual_server_group G {\n  10.0.0.100 80\n  10.0.0.100 443\n  10.0.0.200-203 80\n}\n${instance()}`
  expect(placesOf(findingsIn({ 'a.conf': group + service('', '', 'group G') }))).toEqual([
    'a.conf:15:1 vip-not-held',
    'a.conf:20:3 check-missing',
  ])
})

it('finds ops before real servers behind NAT, whose answers nothing rewrites', () => {
  const udp = (lines = '') => service(`  ops\n${lines}`).replace('TCP', 'UDP')
  const found = (text: string, files: Record<string, string> = {}) =>
    placesOf(findingsIn({ 'd1/etc/keepalived/keepalived.conf': text, ...files }), 'ops-nat')
  expect(found(udp())).toEqual(['d1/etc/keepalived/keepalived.conf:5:3 ops-nat'])
  expect(found(udp('  persistence_timeout 50'))).toHaveLength(1)
  expect(found(udp('  persistence_engine sip'))).toEqual([])
  expect(found(udp().replace('NAT', 'DR'))).toEqual([])
  const rules = '*nat\n-A POSTROUTING -s 10.0.0.11 -p udp -j SNAT --to-source 10.0.0.100\nCOMMIT\n'
  expect(found(udp(), { 'd1/etc/iptables/rules.v4': rules })).toEqual([])
})

it('finds a server that stays in the table when it fails, and clients that go on being sent there', () => {
  const file = 'd1/etc/keepalived/keepalived.conf'
  const kept = (lines: string, scheduler = 'rr') =>
    service(lines).replace('weight 1', 'inhibit_on_failure').replace('sched rr', `sched ${scheduler}`)
  const messages = (text: string, topology = TOPOLOGY) =>
    findingsIn({ 'topology.yaml': topology, [file]: text })
      .filter(({ code }) => code === 'inhibit-keeps')
      .map(({ message }) => message.replace(/^.*: /, ''))
  const asked = 'while it is down, persistent clients are sent there as long as they ask'
  expect(messages(kept('  persistence_timeout 50'))).toEqual([asked])
  expect(messages(kept('  persistence_timeout 50', 'sh'))).toEqual([asked])
  const expires = 'd1: { role: director, sysctls: { net.ipv4.vs.expire_quiescent_template: 1 },'
  expect(messages(kept('  persistence_timeout 50'), TOPOLOGY.replace('d1: { role: director,', expires))).toEqual([])

  const refused = (scheduler: string) => [`while it is down, clients that ${scheduler} chooses it for are refused`]
  for (const scheduler of ['sh', 'mh', 'dh']) expect(messages(kept('', scheduler))).toEqual(refused(scheduler))
  expect(messages(kept('  sh-port', 'sh'))).toEqual(refused('sh'))
  expect(messages(kept('  sh-fallback', 'sh'))).toEqual([])
  expect(messages(kept('  flag-1', 'mh'))).toEqual([])
  for (const scheduler of ['rr', 'wlc', 'lblc']) expect(messages(kept('', scheduler))).toEqual([])
})
