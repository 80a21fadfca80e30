import { expect, it } from 'vitest'
import { findingsIn, placesOf, SECTION, TABLE, TOPOLOGY } from '../testing.ts'

it('finds a scheduler of ipvsadm that the kernel does not have', () => {
  const text = '-A -t 10.0.0.100:80 -s rrr\n-a -t 10.0.0.100:80 -r 10.0.0.11 -g\n'
  expect(placesOf(findingsIn({ 'a.conf': text }))).toEqual([
    'a.conf:1:21 scheduler-unknown',
    'a.conf:2:1 ipvsadm-refused',
  ])
  const ldirectord = 'virtual=10.0.0.100:80\n\treal=10.0.0.11:80 gate\n\tscheduler=rrr\n'
  expect(placesOf(findingsIn({ 'a.conf': ldirectord }))).toContain('a.conf:3:2 scheduler-unknown')
})

it.each(['d1/ipvsadm.rules', 'd1/ldirectord.cf'])('judges %s by the rules that are for every director', file => {
  const isIpvsadm = file.endsWith('.rules')
  const found = (lines: { service?: string; server?: string; port?: number; weights?: [number, number] }) => {
    const { service = '', server = '', port = 80, weights: [one, two] = [1, 1] } = lines
    const text = isIpvsadm
      ? `-A -t 10.0.0.100:80 ${service || '-s wrr'}\n-a -t 10.0.0.100:80 -r 10.0.0.11:${port} -g -w ${one}\n-a -t 10.0.0.100:80 -r 10.0.0.12:80 -g -w ${two}\n${server}`
      : `virtual=10.0.0.100:80\n\treal=10.0.0.11:${port} gate ${one}\n\treal=10.0.0.12:80 gate ${two}\n\tfallback=127.0.0.1 gate\n${service && `\t${service}\n`}`
    return placesOf(findingsIn({ [file]: text })).map(place => place.split(' ')[1])
  }
  expect(found({})).toEqual([])
  expect(found({ port: 8080 })).toEqual(['port-not-rewritten'])
  expect(found({ weights: [0, 1] })).toEqual(['weight-zero'])
  expect(found({ weights: [0, 0] })).toEqual(['weights-all-zero'])
  expect(found({ weights: [3, 1], service: isIpvsadm ? '-s rr' : 'scheduler=rr' })).toEqual(['weights-unused'])
  expect(found({ service: isIpvsadm ? '-s fast' : 'scheduler=fast' })).toContain('scheduler-unknown')
})

it('finds a service without servers, one that is persistent twice, and a fallback that cannot answer', () => {
  expect(placesOf(findingsIn({ 'd1/ipvsadm.rules': '-A -t 10.0.0.100:80 -s rr\n' }))).toEqual([
    'd1/ipvsadm.rules:1:1 service-empty',
  ])
  const twice = [80, 443].map(
    port => `-A -t 10.0.0.100:${port} -s rr -p 50\n-a -t 10.0.0.100:${port} -r 10.0.0.11:${port} -g -w 1\n`,
  )
  expect(placesOf(findingsIn({ 'd1/ipvsadm.rules': twice.join('') }))).toEqual([
    'd1/ipvsadm.rules:3:1 persistence-defeated',
  ])
  expect(placesOf(findingsIn({ 'd1/ldirectord.cf': SECTION.replace(/gate\n$/, 'masq\n') }))).toEqual([
    'd1/ldirectord.cf:3:2 sorry-unreachable',
  ])
})

it('finds that a firewall mark without a service is not checked', () => {
  const found = (lines = '') =>
    placesOf(
      findingsIn({ 'd1/ldirectord.cf': `${SECTION.replace('10.0.0.100:80', '7')}${lines}` }),
      'servers-unchecked',
    )
  expect(found()).toEqual(['d1/ldirectord.cf:1:1 servers-unchecked'])
  expect(found('\tservice=http\n\tcheckport=80\n')).toEqual([])
})

it.each(['virtual=www.example.com:80\n', `${SECTION}\treal=rs1:80 gate\n`, 'fallback=www:80\nvirtual=10.0.0.1:80\n'])(
  'says what it does not read of ldirectord.cf: %j',
  text => {
    expect(findingsIn({ 'd1/ldirectord.cf': text }).map(one => one.code)).toContain('unread')
  },
)

it('finds a persistence of 0 s in ldirectord.cf', () => {
  const text = `${SECTION}\tpersistent=0\n`
  expect(placesOf(findingsIn({ 'd1/ldirectord.cf': text }))).toEqual(['d1/ldirectord.cf:4:2 persistence-zero'])
})

it('finds a VIP that a director without VRRP does not have, where a topology says what it has', () => {
  const file = 'd1/etc/ipvsadm.rules'
  const places = (topology: string) =>
    placesOf(findingsIn({ 'topology.yaml': topology, [file]: TABLE }), 'vip-not-held')
  expect(places(TOPOLOGY)).toEqual([`${file}:1:1 vip-not-held`])
  expect(places(TOPOLOGY.replace('{ role: director,', '{ role: director, loopback: [10.0.0.100/32],'))).toEqual([])
})
