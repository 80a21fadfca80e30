import type { Position } from '../errors.ts'
import type { VipAddress, VrrpInstance } from './types.ts'

/**
 * Addresses that a director without VRRP has for good, as an instance that nobody else is a member of: whoever owns an address
 * has priority 255, and is never preempted (RFC 5798 section 6.1).
 */
export const ownerOf = (device: string, addresses: string[], at: Position): VrrpInstance => ({
  name: 'without VRRP',
  state: 'MASTER',
  interface: device,
  virtualRouterId: 1,
  priority: 255,
  advertInterval: 1000,
  version: 2,
  preempt: true,
  preemptDelay: 0,
  downTimerAdverts: 3,
  strict: false,
  multicastGroup: '224.0.0.18',
  unicastPeers: [],
  addresses: addresses.map(
    (address): VipAddress => ({ address, prefix: address.includes(':') ? 128 : 32, device, at }),
  ),
  excludedAddresses: [],
  trackScripts: [],
  trackInterfaces: [],
  trackPrimary: true,
  at,
})
