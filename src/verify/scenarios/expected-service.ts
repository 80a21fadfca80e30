import type { ExpectedService } from '../../judge/table.ts'
import type { ForwardingMethod, RealServer, VirtualService } from '../../model/types.ts'
import { tableName } from '../reach.ts'

const KERNEL_WORDS: Record<ForwardingMethod, 'Route' | 'Masq' | 'Tunnel'> = { DR: 'Route', NAT: 'Masq', TUN: 'Tunnel' }

/** Whether a check sets its weight. */
export const isDynamic = ({ checks }: RealServer): boolean => checks.some(({ misc }) => misc?.dynamic)

/** What the kernel's table has of a service with these real servers. */
export const expectedService = (service: VirtualService, realServers: RealServer[]): ExpectedService => ({
  service: tableName(service),
  scheduler: service.scheduler,
  persistent: service.persistence !== undefined,
  destinations: realServers.map(server => ({
    ...{ address: server.address, port: server.port, forwarding: KERNEL_WORDS[server.forwarding] },
    ...(isDynamic(server) ? {} : { weight: server.weight }),
  })),
})
