/** Time to live of what Linux sends (net.ipv4.ip_default_ttl). */
export const DEFAULT_TTL = 64

/**
 * How often a packet for the VIP crosses the link between the director and a router, where the real server is behind that
 * router and forwarding is DR: the packet keeps the VIP as its destination, so the router sends it back to the director, which
 * sends it to the router again. Each of them takes 1 off its time to live (net/netfilter/ipvs/ip_vs_xmit.c `decrement_ttl`,
 * net/ipv4/ip_forward.c); who would have to send it with 0 says so to the client (ICMP time exceeded, RFC 1812 5.3.1).
 *
 * @param ttl with which the client sends
 * @param hops routers that it has passed when it crosses the link for the first time
 */
export const loopCrossings = (ttl: number, hops: number): number => ttl - hops
