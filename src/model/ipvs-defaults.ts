/**
 * What the kernel does where nobody says otherwise: how long connection entries live, and the sysctls of IPVS. Read from
 * Linux 6.12; suites compare them with what the engine's kernel says.
 */

/**
 * Timeouts of connection entries by state, ms (net/netfilter/ipvs/ip_vs_proto_tcp.c `tcp_timeouts`). A director in DR and
 * TUN sees the client's side only, so a closed connection ends in FIN_WAIT there, and in TIME_WAIT with NAT.
 */
export const TCP_TIMEOUTS = {
  ESTABLISHED: 900_000,
  SYN_SENT: 120_000,
  SYN_RECV: 60_000,
  FIN_WAIT: 120_000,
  TIME_WAIT: 120_000,
  CLOSE: 10_000,
  CLOSE_WAIT: 60_000,
  LAST_ACK: 30_000,
  LISTEN: 120_000,
  SYNACK: 120_000,
} as const

/** ms (net/netfilter/ipvs/ip_vs_proto_udp.c `udp_timeouts`) */
export const UDP_TIMEOUT = 300_000

/** What `ipvsadm -p` and `persistence_timeout` come to without a number, ms (ipvsadm libipvs.h, IPVS_SVC_PERSISTENT_TIMEOUT). */
export const PERSISTENCE_DEFAULT = 360_000

/**
 * What `ipvsadm --set TCP TCPFIN UDP` and keepalived's `lvs_timeouts` change, and what `ipvsadm -L --timeout` shows, ms:
 * NAT's TIME_WAIT is not among them.
 */
export const SETTABLE_TIMEOUTS = {
  tcp: TCP_TIMEOUTS.ESTABLISHED,
  tcpfin: TCP_TIMEOUTS.FIN_WAIT,
  udp: UDP_TIMEOUT,
} as const

/** Below /proc/sys/net/ipv4/vs (Documentation/networking/ipvs-sysctl.rst, net/netfilter/ipvs/ip_vs_ctl.c `vs_vars`). */
export const IPVS_SYSCTLS: Readonly<Record<string, string>> = {
  amemthresh: '1024',
  am_droprate: '10',
  backup_only: '0',
  cache_bypass: '0',
  conn_reuse_mode: '1',
  conntrack: '0',
  drop_entry: '0',
  drop_packet: '0',
  expire_nodest_conn: '0',
  expire_quiescent_template: '0',
  ignore_tunneled: '0',
  nat_icmp_send: '0',
  pmtu_disc: '1',
  run_estimation: '1',
  schedule_icmp: '0',
  secure_tcp: '0',
  sloppy_sctp: '0',
  sloppy_tcp: '0',
  snat_reroute: '1',
  sync_persist_mode: '0',
  sync_ports: '1',
  sync_refresh_period: '0',
  sync_retries: '0',
  sync_threshold: '3 50',
  sync_version: '1',
}
