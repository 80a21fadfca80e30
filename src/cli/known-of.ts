import { LvslabError } from '../errors.ts'
import type { Known } from '../report/graph/boxes.ts'
import type { Topology } from '../topology/types.ts'
import { planTopology } from '../verify/plan.ts'

/** What the directors' configurations say of a topology's picture; nothing, where they cannot be read. */
export const knownOf = (topology: Topology): Known => {
  try {
    const { vips, services, fixed } = planTopology(topology)
    const moving = vips.map(({ address, members }) => ({
      address,
      holders: members.map(({ node, instance }) => ({
        node,
        device: instance.addresses.find(one => one.address === address)?.device ?? instance.interface,
      })),
    }))
    const addresses = new Map(fixed.map(({ vip, director }) => [vip.address, director]))
    const staying = [...addresses].map(([address, node]) => ({
      address,
      holders: [{ node, device: deviceOf(topology, node, address) }],
    }))
    return {
      vips: [...moving, ...staying],
      tunnels: [...services, ...fixed].flatMap(({ vip, servers }) =>
        servers.flatMap(({ node, server }) =>
          server.forwarding === 'TUN' && vip.members[0] ? [{ from: vip.members[0].node, to: node }] : [],
        ),
      ),
    }
  } catch (error) {
    if (error instanceof LvslabError && error.exitCode === 2) return { vips: [], tunnels: [] }
    throw error
  }
}

/** The device on which a topology gives a node an address. */
const deviceOf = ({ nodes }: Topology, name: string, address: string): string => {
  const node = nodes.find(one => one.name === name)
  const has = (list: string[]): boolean => list.some(text => text.replace(/\/.*/, '') === address)
  const found =
    node?.interfaces.find(one => one.address === address || has(one.addresses)) ??
    node?.tunnels.find(one => has(one.addresses))
  return found?.name ?? 'lo'
}
