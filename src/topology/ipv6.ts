import { isIPv6, SocketAddress } from 'node:net'
import type { Node } from './types.ts'

/** An IPv6 address as everybody writes it, and as ip(8) and the kernel's tools print it (RFC 5952). */
export const canonical = (address: string): string => new SocketAddress({ address, family: 'ipv6' }).address

/** Whether a node has any IPv6 address. */
export const speaksIpv6 = ({ interfaces, loopback }: Node): boolean =>
  [...interfaces.flatMap(({ addresses }) => addresses), ...loopback].some(text => isIPv6(text.split('/')[0] ?? ''))
