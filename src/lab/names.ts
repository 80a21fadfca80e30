import type { Topology } from '../topology/types.ts'

/** Labels of everything that is created on an engine, and by which leftovers are found. */
export const LABEL_LAB = 'lvslab.lab'
export const LABEL_NODE = 'lvslab.node'
/** The process that removes it again; none where a lab is kept, or ends with its engine. */
export const LABEL_OWNER = 'lvslab.owner'

/** Name of the agent's container, among the nodes'. */
export const AGENT_NODE = 'agent'

export const containerName = (topology: Topology, node: string): string => `lvslab-${topology.name}-${node}`
export const networkName = (topology: Topology, network: string): string => `lvslab-${topology.name}-${network}`
