import { LvslabError } from '../errors.ts'
import type { Known } from '../report/graph/boxes.ts'
import type { Topology } from '../topology/types.ts'
import { planTopology } from '../verify/plan.ts'

/** What the directors' configurations say of a topology's picture; nothing, where they cannot be read. */
export const knownOf = (topology: Topology): Known => {
  try {
    const { vips, fixedVips, services, fixed } = planTopology(topology)
    return {
      vips: [...vips, ...fixedVips].map(({ address, members }) => ({
        address,
        holders: members.map(({ node, instance }) => ({
          node,
          device: instance.addresses.find(one => one.address === address)?.device ?? instance.interface,
        })),
      })),
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
