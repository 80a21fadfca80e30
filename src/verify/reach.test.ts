import { expect, it } from 'vitest'
import { aServer, aService } from '../model/examples.ts'
import { type Entry, schemeOf } from './reach.ts'
import type { SpokenTo } from './spoken.ts'

const behind = (forwarding: 'NAT' | 'DR', ...ports: number[]) =>
  aService({ port: 9093, realServers: ports.map((port, n) => aServer(`10.0.0.${n + 1}`, { port, forwarding })) })

const tcp = (port: number): Entry => ({ protocol: 'TCP', port })
const NOTHING: SpokenTo = () => undefined
const WHY = { why: 'only HTTP is spoken, and nothing says that port 9093 serves it' }

it('presumes HTTP on a port behind which NAT has ports of HTTP alone', () => {
  expect(schemeOf(behind('NAT', 80, 8080), tcp(9093), NOTHING)).toBe('http')
  for (const service of [behind('NAT', 80, 25), behind('NAT'), behind('DR', 80)])
    expect(schemeOf(service, tcp(9093), NOTHING)).toEqual(WHY)
  expect(schemeOf({ ...behind('NAT', 80), fwmark: 1 }, tcp(9093), NOTHING)).toEqual(WHY)
})

it('is datagrams where each of the real servers answers them by its name', () => {
  const answers: SpokenTo = ({ address }, _port, protocol) =>
    protocol === 'UDP' && address !== '10.0.0.2' ? 'udp' : undefined
  const udp: Entry = { protocol: 'UDP', port: 53 }
  expect(schemeOf(behind('DR', 53), udp, answers)).toBe('udp')
  expect(schemeOf(behind('NAT', 53, 5353), udp, answers)).toEqual({
    why: 'nothing says that 10.0.0.2 answers datagrams to port 5353 with its name; `/usr/lib/lvslab/echo 5353 udp` on a line of its etc/rc.local does, which must be executable',
  })
})

it('is what the real servers say that they speak, where they agree', () => {
  const say =
    (...words: ReturnType<SpokenTo>[]): SpokenTo =>
    ({ address }) =>
      words[Number(address.split('.')[3]) - 1]
  expect(schemeOf(behind('DR', 443, 443), tcp(443), say('https', 'https'))).toBe('https')
  // one that is nobody's has no say
  expect(schemeOf(behind('DR', 3306, 3306), tcp(3306), say('http', undefined))).toBe('http')
  expect(schemeOf(behind('DR', 53, 53), tcp(53), say('other', 'http'))).toEqual({
    why: 'only HTTP is spoken, and behind port 53 another program answers',
  })
  expect(schemeOf(behind('NAT', 80, 443), tcp(9093), say('http', 'https'))).toEqual({
    why: 'behind port 9093 some of its real servers speak HTTP, and some HTTPS',
  })
})
