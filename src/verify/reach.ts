import type { Marked } from '../config/marks.ts'
import { endpoint } from '../model/endpoint.ts'
import type { VirtualService } from '../model/types.ts'
import { arrivesAt, type Scheme, type SpokenTo } from './spoken.ts'

/** How clients reach a service, whoever makes its table. */

/** Convergence waits this much longer than predicted, ms of lab time: nodes start one after the other. */
export const CONVERGENCE_MARGIN_MS = 15_000

/** As the kernel's table calls a service: `TCP 10.0.0.100:80`, `FWM 50`. */
export const tableName = ({ address = '', port = 0, fwmark, protocol }: VirtualService): string =>
  fwmark === undefined ? `${protocol} ${endpoint(address, port)}` : `FWM ${fwmark}`

/** Where clients reach a service at one of its addresses. */
export interface Entry {
  protocol: VirtualService['protocol']
  port: number
}

/** The entries that a rule of the packet filter makes of what it marks. */
export const entriesOfMark = ({ protocol, ports }: Marked): Entry[] => ports.map(port => ({ protocol, port }))

/** What a client asks for. */
export const urlOf = (scheme: Scheme, address: string, port: number): string =>
  `${scheme}://${endpoint(address, port)}${scheme === 'udp' ? '' : '/'}`

/** Whether clients send it datagrams. */
export const asksByUdp = ({ url }: { url: string }): boolean => url.startsWith('udp:')

/** Where HTTP is spoken by whoever is there. */
export const isHttp = (port: number): boolean => port === 80 || port === 8080

/** What clients speak to a port of a service: what its real servers say that they speak, or what it looks like; or why no probe can. */
export const schemeOf = (
  { fwmark, realServers }: Pick<VirtualService, 'fwmark' | 'realServers'>,
  { protocol, port }: Entry,
  spokenTo: SpokenTo,
): Scheme | { why: string } => {
  if ((protocol !== 'TCP' && protocol !== 'UDP') || !port)
    return { why: 'only services of TCP and UDP with a port are driven' }
  const encapsulated = realServers.find(({ tunnel }) => tunnel && tunnel.type !== 'ipip')
  if (encapsulated)
    return {
      why: `its tunnel to ${encapsulated.address} is of type ${encapsulated.tunnel?.type}, which no topology opens: tunl0 and ip6tnl0 do ipip`,
    }
  if (protocol === 'UDP') {
    const mute = realServers.find(server => spokenTo(server, port, protocol) === undefined)
    if (!mute) return 'udp'
    const asked = arrivesAt(mute, port)
    return {
      why: `nothing says that ${mute.address} answers datagrams to port ${asked} with its name; \`/usr/lib/lvslab/echo ${asked} udp\` on a line of its etc/rc.local does, which must be executable`,
    }
  }
  const spoken = new Set(realServers.flatMap(server => spokenTo(server, port) ?? []))
  if (spoken.has('other')) return { why: `only HTTP is spoken, and behind port ${port} another program answers` }
  if (spoken.size > 1) return { why: `behind port ${port} some of its real servers speak HTTP, and some HTTPS` }
  for (const scheme of ['http', 'https'] as const) if (spoken.has(scheme)) return scheme
  const checks = realServers.flatMap(server => server.checks.map(check => check.type))
  // what a service on several ports is checked by, and where its servers are, says nothing of each of them
  const byServers =
    checks.includes('HTTP_GET') ||
    // the others do not rewrite ports
    (realServers.length > 0 && realServers.every(server => server.forwarding === 'NAT' && isHttp(server.port)))
  const speaksHttp = isHttp(port) || (fwmark === undefined && byServers)
  return speaksHttp ? 'http' : { why: `only HTTP is spoken, and nothing says that port ${port} serves it` }
}
