/**
 * Who answers the clients of a VIP that several nodes of one network hold. A client sends to the MAC address that it has
 * learnt, and IPVS sees its requests only where that is the director's: any other node that holds the VIP answers them all by
 * itself. The first reply is learnt; others are ignored for the next second (net/ipv4/arp.c `arp_process`,
 * net.ipv4.neigh.default.locktime). That holds for replies alone: an ARP request whose sender is the VIP overrides at once
 * what was learnt (net/core/neighbour.c `neigh_event_ns`).
 *
 * @param learnt node whose MAC address the client has for the VIP
 * @param director node that balances the VIP
 * @param shares of each cycle of connections through the director, by server: {@link cycleShares}
 * @returns shares in the same form
 */
export const sharesByArp = (
  learnt: string,
  director: string,
  shares: Record<string, number>,
): Record<string, number> => (learnt === director ? shares : { [learnt]: 1 })
