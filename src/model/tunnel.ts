/** Bytes that IP-in-IP puts before a packet: one IPv4 header without options (RFC 2003). */
export const IPIP_HEADER = 20

/** Bytes of the IPv4 and TCP headers without options. */
const TCP_HEADERS = 40

/**
 * The largest packet, bytes, that fits into an IP-in-IP tunnel over a link: what the director tells a client whose packet
 * may not be fragmented and is larger (net/netfilter/ipvs/ip_vs_xmit.c `__ip_vs_get_out_rt`, sysctl pmtu_disc 1).
 *
 * @param mtu of the link that the tunnel's packets leave by, bytes
 */
export const tunnelMtu = (mtu: number): number => mtu - IPIP_HEADER

/** The largest MSS, bytes, with which no segment exceeds {@link tunnelMtu}: what a real server may offer its clients. */
export const tunnelMss = (mtu: number): number => tunnelMtu(mtu) - TCP_HEADERS
