import type { Engine } from '../engine/engine.ts'
import { keptEngines, type KeptEngine, openKept } from '../engine/vm/kept.ts'
import { LvslabError } from '../errors.ts'
import { AGENT_NODE, containerName } from '../lab/names.ts'
import { loadTopology } from '../topology/load.ts'
import { nearest } from '../topology/did-you-mean.ts'
import type { Topology } from '../topology/types.ts'

/** The kept lab of this name, or the only one there is. */
export const findKept = async (name: string | undefined): Promise<KeptEngine> => {
  const all = await keptEngines()
  const matching = all.filter(kept => name === undefined || kept.record.lab === name)
  const [one] = matching
  if (one && matching.length === 1) return one
  const names = all.map(kept => kept.record.lab).join(', ')
  throw new LvslabError(
    'LAB_UNKNOWN',
    name === undefined ? (names ? `several labs are up: ${names}` : 'no lab is up') : `no lab ${name} is up`,
    {
      remedy: names ? `name one of them with --lab: ${names}` : 'lvslab up topologies/keepalived-dr',
      exitCode: 2,
    },
  )
}

/** A kept lab's engine, topology and a container of it. */
export const openNode = async (
  lab: string | undefined,
  node: string,
): Promise<{ engine: Engine; topology: Topology; container: string }> => {
  const kept = await findKept(lab)
  const topology = loadTopology(kept.record.topology)
  const nodes = [...topology.nodes.map(n => n.name), AGENT_NODE]
  if (!nodes.includes(node)) {
    const guess = nearest(node, nodes)
    throw new LvslabError(
      'NODE_UNKNOWN',
      `${topology.name} has no node ${node}${guess ? `; did you mean ${guess}?` : ''}`,
      {
        remedy: `its nodes are ${nodes.join(', ')}`,
        exitCode: 2,
      },
    )
  }
  return { engine: await openKept(kept), topology, container: containerName(topology, node) }
}
