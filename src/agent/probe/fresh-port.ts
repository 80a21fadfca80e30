/** Below the kernel's own choice (`net.ipv4.ip_local_port_range` begins at 32768): nobody else in a client takes these. */
export const [FIRST_PORT, LAST_PORT] = [10_000, 32_767]

let next = FIRST_PORT

/**
 * A source port for a request that names none: each is used once before any is used again, by all probes of a client. The kernel's
 * choice begins anew every 10 s (net/core/secure_seq.c, EPHEMERAL_PORT_SHUFFLE_PERIOD), and a port that comes again while IPVS
 * has its last connection, which is a minute for one that was refused, goes where that one went; where that server is out of the
 * table its packets are dropped (`net.ipv4.vs.expire_nodest_conn` 0). A client that asks as often as a probe does would time out
 * now and then, and no configuration be to blame.
 */
export const freshPort = (): number => {
  const port = next
  next = port === LAST_PORT ? FIRST_PORT : port + 1
  return port
}
