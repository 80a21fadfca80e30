import { LvslabError } from '../errors.ts'
import type { DirectorConfig } from '../model/types.ts'
import { directorNode } from './director-node.ts'
import { type Draft, type DraftNode, emptyNode } from './draft.ts'
import { type Backend, backendsOf, FARM_ABOVE, farmsOf, sharesNodes } from './farms.ts'
import { standIns } from './ipv6.ts'
import { boundElsewhere, boundOf, findLinks, type Link, linkOf, presumed, vipsOf, withOwnAddresses } from './links.ts'
import { farmNode, serverNode } from './server-nodes.ts'
import { refuseAddresses, refuseInterfaces, refuseTwice, unbuilt } from './unbuilt.ts'
import { clientsWire, network, onWire, takenIn, type Wire, wireOf } from './wires.ts'

/**
 * Drafts the topology that directors' configurations describe: their networks, real servers that satisfy their checks, a client, and
 * a router where somebody needs one. What the configurations do not say is a question with a default.
 *
 * @throws LvslabError DERIVE_NOTHING where no director has a VIP, DERIVE_INTERFACE, DERIVE_ADDRESS and DERIVE_NETWORK where it has what
 *   no topology can have, DERIVE_FULL
 */
export const deriveTopology = (name: string, given: DirectorConfig[]): Draft => {
  const owning = withOwnAddresses(given)
  refuseAddresses(owning)
  const ipv6 = standIns(owning)
  const { configs } = ipv6
  const vips = [...new Set(configs.flatMap(c => c.instances.flatMap(vipsOf)).map(vip => vip.address))]
  if (vips.length === 0)
    throw new LvslabError(
      'DERIVE_NOTHING',
      `no vrrp_instance of ${configs.map(c => c.node).join(', ')} has a VIP that can be built`,
      {
        remedy:
          'write topology.yaml yourself, see "A scenario" in CONTRIBUTING.md; `lvslab lint` says what is wrong with the configuration',
        exitCode: 2,
      },
    )
  refuseInterfaces(configs)
  const questions = [...presumed(given), ...boundElsewhere(configs), ...unbuilt(configs)]
  const names = unusedNames(configs)
  const links = findLinks(configs)
  refuseTwice(configs, links)
  const wires = links.map(
    (link, n): Wire => ({
      ...link,
      name: n === 0 ? 'lan' : `lan${n + 1}`,
      taken: takenIn(link, configs),
      directors: new Map(),
    }),
  )
  const directors = configs.map(config => directorNode(config, boundOf(config, configs), wires))
  const backs = backendsOf(configs)
  const kindOf = (back: Backend): string | undefined =>
    sharesNodes(back) && !ipv6.has(back.address)
      ? `${wireOf(wires, back.address)?.name} ${back.methods.toSorted().join()}`
      : undefined
  const farms = backs.length > FARM_ABOVE ? farmsOf(backs, kindOf) : []
  const shared = new Set(farms.flat())
  const realServers = [
    ...farms.map((farm, n) => farmNode(names(`farm${n + 1}`), farm, wires, configs)),
    ...backs.filter(back => !shared.has(back)).map((back, n) => serverNode(names(`rs${n + 1}`), back, wires, configs)),
  ]

  const methods = (wire: Wire | undefined) =>
    backs.filter(back => wireOf(wires, back.address) === wire).flatMap(back => back.methods)
  const services = configs.flatMap(c => c.services)
  const served = vips.filter(vip => services.some(({ address }) => address === vip))
  // which VIPs a mark is for is in rules that are not read here: not one that leads back from behind NAT
  if (services.some(({ fwmark }) => fwmark !== undefined))
    served.push(...vips.filter(vip => !methods(wireOf(wires, vip)).includes('NAT')))
  const homes = new Set((served.length > 0 ? served : vips.slice(0, 1)).map(vip => wireOf(wires, vip)))
  // beside the VIPs, where all that serve are in one network
  const [home] = homes.size === 1 ? homes : []
  // a client beside a NAT real server would be answered by the server itself, past the director
  const place = home !== undefined && !methods(home).includes('NAT') ? home : clientsWire(wires)
  const apart = place !== home
  const all = apart ? [...wires, place] : wires
  const client = onWire(
    emptyNode(
      names('c1'),
      'client',
      apart && home ? 'Not beside the real servers: those behind NAT would answer it past the director.' : '',
    ),
    'eth0',
    place,
    50,
  )

  // DR and TUN real servers answer clients themselves, wherever those are
  const direct = wires.filter(wire => wire !== place && methods(wire).some(method => method !== 'NAT'))
  const router = apart || direct.length > 0 ? routerNode(names('r1'), all, configs, links) : undefined
  const nodes = [
    client,
    ...(router ? [router] : []),
    ...directors.map(one => one.node),
    ...realServers.map(one => one.node),
  ]
  questions.push(...directors.flatMap(one => one.questions), ...realServers.flatMap(one => one.questions))
  return ipv6.restore({
    name,
    summary: `Derived from the configuration of ${configs.map(c => c.node).join(' and ')}`,
    networks: all.map(wire => network(wire, router, configs)),
    nodes: nodes.map(node => ({ ...node, because: node.because.filter(line => line !== '') })),
    questions: [...new Set(questions)],
  })
}

/** Names for nodes that are no directors, where a director may be called so. */
const unusedNames = (configs: DirectorConfig[]) => {
  const directors = configs.map(config => config.node)
  return (name: string): string => (directors.includes(name) ? `${name}-derived` : name)
}

/** On every network, and in every subnet of a VIP that is on somebody's wire. */
const routerNode = (name: string, wires: Wire[], configs: DirectorConfig[], links: Link[]): DraftNode => {
  const node = emptyNode(name, 'router', 'Leads from each network to the others.')
  for (const [n, wire] of wires.entries()) onWire(node, `eth${n}`, wire, 254)
  const routes = configs.flatMap(config =>
    config.instances.flatMap(one =>
      vipsOf(one).flatMap(({ address, device }) => {
        if (linkOf(links, address)) return []
        // for what is on lo the director answers on every wire
        const wire = wires.find(({ devices }) =>
          devices.some(({ director, name: its, vips }) =>
            device === 'lo'
              ? director === config.node && its === one.interface
              : vips.some(vip => vip.address === address),
          ),
        )
        return wire ? [`${address}/32 dev ${node.interfaces[wires.indexOf(wire)]?.name}`] : []
      }),
    ),
  )
  node.routes.push(...new Set(routes))
  return node
}
