import { isIPv6 } from 'node:net'
import { canonical } from '../model/address.ts'
import type { Node } from './types.ts'

/** The address as a number; undefined when the text is none. */
export const parseIpv6 = (text: string): bigint | undefined => {
  if (!isIPv6(text)) return undefined
  const dotted = canonical(text).replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map(group => group.toString(16)).join(':'),
  )
  const [before = '', after] = dotted.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const [head, tail] = [groups(before), groups(after ?? '')]
  const zeros = Array.from({ length: after === undefined ? 0 : 8 - head.length - tail.length }, () => '0')
  return BigInt(`0x${[...head, ...zeros, ...tail].map(group => group.padStart(4, '0')).join('')}`)
}

/** The address of a number from 0 to 2^128 - 1. */
export const formatIpv6 = (value: bigint): string =>
  canonical(value.toString(16).padStart(32, '0').match(/.{4}/g)?.join(':') ?? '::')

/** Whether a node has any IPv6 address. */
export const speaksIpv6 = ({ interfaces, loopback, tunnels }: Node): boolean =>
  [...[...interfaces, ...tunnels].flatMap(({ addresses }) => addresses), ...loopback].some(text =>
    isIPv6(text.split('/')[0] ?? ''),
  )
