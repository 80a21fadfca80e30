import type { ExpectedService } from '../../judge/table.ts'
import type { ForwardingMethod, RealServer, VirtualService } from '../../model/types.ts'
import { tableName } from '../reach.ts'

const KERNEL_WORDS: Record<ForwardingMethod, 'Route' | 'Masq' | 'Tunnel'> = { DR: 'Route', NAT: 'Masq', TUN: 'Tunnel' }

/** What the kernel's table has of a service with these real servers. */
export const expectedService = (
  service: VirtualService,
  realServers: RealServer[] = service.realServers,
): ExpectedService => ({
  service: tableName(service),
  scheduler: service.scheduler,
  persistent: service.persistence !== undefined,
  destinations: realServers.map(({ address, port, forwarding, weight }) => ({
    ...{ address, port, weight },
    forwarding: KERNEL_WORDS[forwarding],
  })),
})
