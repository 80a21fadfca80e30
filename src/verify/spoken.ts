import { UDP_PAYLOAD } from '../agent/protocol.ts'
import type { RealServer, VirtualService } from '../model/types.ts'
import { addressesOf } from '../topology/addresses.ts'
import { nodeFiles } from '../topology/node-files.ts'
import { STUB_FILE, type Started, startedByScript } from '../topology/rc-local.ts'
import type { Node, Topology } from '../topology/types.ts'

/** What a probe speaks; `udp`: datagrams, each of which comes back with the name of who answers before it. */
export type Scheme = 'http' | 'https' | 'udp'

/** What httpd loads of /etc/apache2, as Debian's has it; ports.conf listens on 443 where ssl_module is loaded. */
const ENABLED = /^\/etc\/apache2\/(?:apache2\.conf|ports\.conf|(?:conf|mods|sites)-enabled\/[^/]+)$/
const SSL_MODULE = '/etc/apache2/mods-enabled/ssl.load'

/**
 * What a node speaks on each port of TCP that its web server listens on, as far as the files say that are laid over it: httpd of a real
 * server, nginx of a director; `other` where another program has the port that they know of.
 */
export const spokenBy = (node: Node): Map<number, Scheme | 'other'> => {
  const spoken = new Map<number, Scheme | 'other'>(
    node.role === 'realserver' ? byHttpd(node) : node.role === 'director' ? byNginx(node) : [],
  )
  for (const { port, byUdpAlone } of startedBy(node)) if (!byUdpAlone) spoken.set(port, 'other')
  return spoken
}

const byNginx = (node: Node): Map<number, Scheme> => {
  const spoken = new Map<number, Scheme>()
  const files = nodeFiles(node).filter(({ path }) => path.startsWith('/etc/nginx/'))
  if (!files.some(({ path }) => path === '/etc/nginx/nginx.conf')) spoken.set(80, 'http')
  for (const { content } of files)
    for (const [, port, more = ''] of content
      .toString('utf8')
      .replaceAll(/#.*/g, '')
      .matchAll(/\blisten\s+(?:[^\s;]*:)?(\d+)([^;]*);/g))
      spoken.set(Number(port), /\bssl\b/.test(more) ? 'https' : 'http')
  return spoken
}

const byHttpd = (node: Node): Map<number, Scheme> => {
  const spoken = new Map<number, Scheme>()
  const files = nodeFiles(node).filter(({ path }) => ENABLED.test(path))
  const hasSsl = files.some(({ path }) => path === SSL_MODULE)
  if (!files.some(({ path }) => path === '/etc/apache2/ports.conf')) {
    spoken.set(80, 'http')
    if (hasSsl) spoken.set(443, 'http')
  }
  const secured = new Set<number>()
  for (const { content } of files) {
    let ports: number[] = []
    let isLoaded = true
    for (const line of content.toString('utf8').split('\n')) {
      const [word = '', ...values] = line.trim().split(/\s+/)
      const directive = word.toLowerCase()
      if (directive === '<ifmodule') isLoaded = /^(?:ssl_module|mod_ssl\.c)>$/.test(values[0] ?? '') && hasSsl
      else if (directive === '</ifmodule>') isLoaded = true
      else if (directive === 'listen' && isLoaded) {
        const port = Number(values[0]?.replace(/^.*:/, ''))
        spoken.set(port, values[1] === 'https' ? 'https' : 'http')
      } else if (directive === '<virtualhost') ports = values.map(value => Number(/:(\d+)>?$/.exec(value)?.[1] ?? 80))
      else if (directive === '</virtualhost>') ports = []
      else if (directive === 'sslengine' && values[0]?.toLowerCase() === 'on')
        for (const port of ports) secured.add(port)
    }
  }
  for (const port of secured) if (spoken.has(port)) spoken.set(port, 'https')
  return spoken
}

const startedBy = ({ files }: Node): Started[] => (files === undefined ? [] : startedByScript(files))

/** The ports of UDP on which a node answers each datagram by its name and what was sent; of a farm no server has a name of its own. */
export const answeredBy = (node: Node): Set<number> => {
  if (node.farm) return new Set()
  // one that an older lvslab has written does not know what a probe says
  const stub = nodeFiles(node).find(({ path }) => path === STUB_FILE)
  const isTold = stub?.content.toString('utf8').includes(`/^${UDP_PAYLOAD} `) ?? false
  const answering = startedBy(node).filter(({ program }) => program !== 'smtp' && (program === 'echo' || isTold))
  return new Set(answering.map(({ port }) => port))
}

/** The port of a real server at which arrives what was sent to a port of a VIP: only NAT rewrites it. */
export const arrivesAt = ({ port: own, forwarding }: Pick<RealServer, 'port' | 'forwarding'>, port: number): number =>
  forwarding === 'NAT' ? own || port : port

/**
 * What is spoken to a real server that gets the connections to a port of a VIP; undefined where its node's files do not say.
 *
 * @param port of the VIP
 */
export type SpokenTo = (
  server: Pick<RealServer, 'address' | 'port' | 'forwarding'>,
  port: number,
  protocol?: VirtualService['protocol'],
) => Scheme | 'other' | undefined

/** Each node's files are read once. */
export const spokenIn = ({ nodes }: Topology): SpokenTo => {
  const read = new Map<Node, { TCP: Map<number, Scheme | 'other'>; UDP: Set<number> }>()
  const spoken = (node: Node) => {
    const its = read.get(node) ?? { TCP: spokenBy(node), UDP: answeredBy(node) }
    read.set(node, its)
    return its
  }
  const owners = new Map(nodes.toReversed().flatMap(node => addressesOf(node).map(address => [address, node] as const)))
  return (server, port, protocol = 'TCP') => {
    const node = owners.get(server.address)
    if (!node) return undefined
    const asked = arrivesAt(server, port)
    if (protocol === 'UDP') return spoken(node).UDP.has(asked) ? 'udp' : undefined
    return protocol === 'TCP' ? spoken(node).TCP.get(asked) : undefined
  }
}
