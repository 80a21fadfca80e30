import { expect, it } from 'vitest'
import { aServer, aService } from '../model/examples.ts'
import { undriven } from './reach.ts'

const behind = (forwarding: 'NAT' | 'DR', ...ports: number[]) =>
  aService({ port: 9093, realServers: ports.map((port, n) => aServer(`10.0.0.${n + 1}`, { port, forwarding })) })

it('drives a port behind which NAT has ports of HTTP alone', () => {
  expect(undriven(behind('NAT', 80, 8080), 9093)).toBeUndefined()
  const why = 'only HTTP is spoken, and nothing says that port 9093 serves it'
  for (const service of [behind('NAT', 80, 25), behind('NAT'), behind('DR', 80)])
    expect(undriven(service, 9093)).toBe(why)
  expect(undriven({ ...behind('NAT', 80), fwmark: 1 }, 9093)).toBe(why)
})
