import type { DirectorConfig } from '../model/types.ts'
import { formatSubnet } from '../topology/ipv4.ts'
import { type DraftNode, emptyNode } from './draft.ts'
import type { Backend } from './farms.ts'
import { vipsOf } from './links.ts'
import { farmStub, stubFor } from './stubs.ts'
import { type Wire, wireOf, withPrefix } from './wires.ts'

/** Nobody answers ARP for the VIP that a real server has on lo or tunl0, and nobody speaks of it. */
const QUIET = { ignore: 1, announce: 2 }

/** What comes out of a tunnel is from clients, whom the way back leads to by another device. */
const FROM_TUNNEL = { 'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.tunl0.rp_filter': 0 }

/** A node that is one real server, or sorry server. */
export const serverNode = (
  name: string,
  back: Backend,
  wires: Wire[],
  configs: DirectorConfig[],
): { node: DraftNode; questions: string[] } => {
  const made = serving(name, [back], wires, configs)
  const stub = stubFor(name, back.address, back.serves, back.sorry)
  const because = back.serves.length === 0 ? ['The sorry server of a service.'] : []
  return { node: { ...made.node, because, files: stub.files }, questions: [...made.questions, ...stub.questions] }
}

/** A node that is many. */
export const farmNode = (
  name: string,
  farm: Backend[],
  wires: Wire[],
  configs: DirectorConfig[],
): { node: DraftNode; questions: string[] } => {
  const made = serving(name, farm, wires, configs)
  const because = [`${farm.length} real servers, no two of one service: what each answers begins with its address.`]
  return { node: { ...made.node, farm: true, because, files: farmStub(farm) }, questions: made.questions }
}

/** The network of a node that is these real servers, all of one network and of the same methods. */
const serving = (
  name: string,
  backs: Backend[],
  wires: Wire[],
  configs: DirectorConfig[],
): { node: DraftNode; questions: string[] } => {
  const [first, ...further] = backs as [Backend, ...Backend[]]
  const { address, methods } = first
  const wire = wireOf(wires, address) as Wire
  const node = emptyNode(name, 'realserver')
  const addresses = further.map(one => withPrefix(one.address, wire))
  node.interfaces.push({ name: 'eth0', network: wire.name, address, ...(addresses.length > 0 && { addresses }) })
  const hosts = [...new Set(backs.flatMap(back => back.vips))].map(vip => `${vip}/32`)
  const questions: string[] = []
  if (methods.includes('DR')) Object.assign(node, { loopback: hosts, arp: QUIET })
  if (methods.includes('TUN'))
    Object.assign(node, { tunnel: hosts, arp: QUIET, sysctls: { ...node.sysctls, ...FROM_TUNNEL } })
  for (const { service, server } of backs.flatMap(back => back.serves))
    if (server.tunnel && server.tunnel.type !== 'ipip')
      questions.push(
        `${name}: ${service.name} comes to it in a tunnel of type ${server.tunnel.type}, and tunl0 and ip6tnl0 open ipip alone: put what opens it into etc/rc.local`,
      )
  if (methods.includes('NAT')) {
    // a VIP that is on its own lo leads nowhere
    const gateway = natGateway(wire, configs, methods.some(method => method !== 'NAT') ? hosts : [])
    node.routes.push(`default via ${gateway.address}`)
    if (gateway.question) questions.push(`${name}: ${gateway.question}`)
    const direct = methods.filter(method => method !== 'NAT')
    if (direct.length > 0)
      questions.push(
        `${name}: it is behind ${direct.join(' and ')} and behind NAT, so its gateway is a director, which drops what comes from a VIP that it has itself: clients elsewhere get no answer by ${direct.join(' or ')}`,
      )
  }
  return { node, questions }
}

/** Replies of NAT go back through the director: by a VIP on the real servers' network where there is one, else by who is MASTER at first. */
const natGateway = (wire: Wire, configs: DirectorConfig[], held: string[]): { address: string; question?: string } => {
  const services = configs.flatMap(config => config.services.map(service => service.address))
  const inside = configs
    .flatMap(config => config.instances.flatMap(vipsOf))
    .filter(vip => wireOf([wire], vip.address) && !held.includes(`${vip.address}/32`))
    .toSorted((a, b) => Number(services.includes(a.address)) - Number(services.includes(b.address)))
  if (inside[0]) return { address: inside[0].address }
  const priority = ({ instances }: DirectorConfig): number => Math.max(0, ...instances.map(one => one.priority))
  const [master] = configs.toSorted((a, b) => priority(b) - priority(a))
  const own = wire.directors.get(master?.node ?? '') ?? ''
  return {
    address: own,
    question: `no VIP in ${formatSubnet(wire.subnet)} leads back: its gateway is ${own}, a director's own address${configs.length > 1 ? ', and stays so after a failover' : ''}`,
  }
}
