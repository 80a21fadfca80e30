import { Wait } from 'testcontainers'
import type { Engine } from '../engine/engine.ts'
import type { Steps } from '../engine/progress.ts'
import { bindTestcontainers, NodeContainer } from '../engine/testcontainers.ts'
import { LvslabError, messageOf } from '../errors.ts'
import { addressesOf } from '../topology/addresses.ts'
import { formatIpv4, parseSubnet } from '../topology/ipv4.ts'
import { type NodeFile, nodeFiles } from '../topology/node-files.ts'
import { nodeScript } from '../topology/node-script.ts'
import type { Network, Node, Topology } from '../topology/types.ts'
import { imageName } from './images.ts'
import type { PackageSet } from './node-packages.ts'
import { imageOf } from './package-images.ts'
import { startFailed } from './start-failed.ts'
import { AGENT_NODE, containerName, LABEL_LAB, LABEL_NODE, LABEL_OWNER, networkName } from './names.ts'
import { hasManyNeighbours, keepManyNeighbours } from './neighbours.ts'
import { hasEnded } from './owner.ts'

/** A node takes about a second to start under software emulation, five at once about four. */
const START_DEADLINE_MS = 60_000

export interface DeployOptions {
  /** Key of the images. */
  images: string
  /** What nodes have besides, each with an image on the engine. */
  packages: PackageSet[]
  /** What is laid over every director after its own files. */
  keepalived: NodeFile[]
  steps: Steps
  signal?: AbortSignal | undefined
  /** See {@link LABEL_OWNER}. */
  owner?: string
  /** Called where directors start after all other nodes, between the two. */
  beforeDirectors?: (others: Node[]) => Promise<void>
}

/** Labels of everything that belongs to a lab. */
export const labelsOf = (lab: string, owner?: string): Record<string, string> => ({
  [LABEL_LAB]: lab,
  ...(owner === undefined ? {} : { [LABEL_OWNER]: owner }),
})

/** Creates a topology's networks and nodes, and the agent, on an engine whose images are there. */
export const deploy = async (engine: Engine, topology: Topology, options: DeployOptions): Promise<void> => {
  const { images, packages, keepalived, steps, signal } = options
  const labels = labelsOf(topology.name, options.owner)
  await bindTestcontainers(engine)
  await claimName(engine, topology.name, steps)
  await steps.step(`Create ${topology.networks.length} network(s)`, () =>
    Promise.all(topology.networks.map(network => createNetwork(engine, topology, network, labels))),
  )
  signal?.throwIfAborted()
  if (hasManyNeighbours(topology)) await keepManyNeighbours(engine, images)
  const start = async (nodes: Node[], others: Promise<void>[] = []): Promise<void> => {
    const starts = [
      ...others,
      ...nodes.map(node => {
        const files = [...nodeFiles(node), ...(node.role === 'director' ? keepalived : [])]
        return startNode(engine, topology, node, { image: imageOf(node, images, packages), files, labels })
      }),
    ]
    const failed = (await Promise.allSettled(starts)).find(result => result.status === 'rejected')
    if (failed) throw failed.reason
  }
  // a farm takes long: a director that is there before it finds every real server down, and then waits for each to return
  const later = topology.nodes.some(node => node.farm) ? topology.nodes.filter(({ role }) => role === 'director') : []
  const first = topology.nodes.filter(node => !later.includes(node))
  await steps.step(`Start ${first.length} nodes and the agent`, () =>
    start(first, [startAgent(engine, topology, images, labels)]),
  )
  if (later.length === 0) return
  signal?.throwIfAborted()
  await options.beforeDirectors?.(first)
  await steps.step(`Start ${later.length} director(s)`, () => start(later))
}

/**
 * Removes everything that carries all of a lab's labels, however much of it there is.
 *
 * @param labels see {@link labelsOf}
 * @throws LvslabError LAB_REMOVE, when all was tried
 */
export const remove = async (engine: Engine, labels: Record<string, string>): Promise<void> => {
  const { docker } = engine
  const filters = { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) }
  const failed = async (removals: Promise<unknown>[]): Promise<unknown[]> =>
    (await Promise.allSettled(removals)).flatMap(one =>
      // somebody else may remove it at the same time
      one.status === 'rejected' && (one.reason as { statusCode?: number }).statusCode !== 404 ? [one.reason] : [],
    )
  const containers = await docker.listContainers({ all: true, filters })
  const ends = containers.map(c => docker.getContainer(c.Id).remove({ force: true, v: true }))
  const errors = await failed(ends)
  const networks = await docker.listNetworks({ filters })
  errors.push(...(await failed(networks.map(n => docker.getNetwork(n.Id).remove()))))
  if (errors.length === 0) return
  const lab = labels[LABEL_LAB] ?? ''
  throw new LvslabError('LAB_REMOVE', `something of the lab ${lab} is left: ${errors.map(messageOf).join('; ')}`, {
    remedy: removeByHand(lab),
    cause: errors[0],
  })
}

const removeByHand = (lab: string): string => {
  const filter = `--filter label=${LABEL_LAB}=${lab}`
  return `docker rm -f $(docker ps -aq ${filter})\ndocker network rm $(docker network ls -q ${filter})`
}

/**
 * Makes sure that no lab of this name is on the engine. What a killed lvslab left is removed: nobody else will.
 *
 * @throws LvslabError LAB_EXISTS where the lab may be in use
 */
export const claimName = async (engine: Engine, lab: string, steps: Steps): Promise<void> => {
  const filters = { label: [`${LABEL_LAB}=${lab}`] }
  const [containers, networks] = await Promise.all([
    engine.docker.listContainers({ all: true, filters }),
    engine.docker.listNetworks({ filters }),
  ])
  const owners = new Set([...containers, ...networks].map(one => one.Labels?.[LABEL_OWNER]))
  if (owners.size === 0) return
  const count = `${containers.length} container(s), ${networks.length} network(s)`
  const [owner] = owners
  if ((await Promise.all([...owners].map(hasEnded))).every(Boolean)) {
    const who = owner?.split(':')[1]
    await steps.step(`Remove the lab ${lab} of lvslab ${who}, which was killed: ${count}`, () =>
      remove(engine, labelsOf(lab)),
    )
    return
  }
  const whose =
    owner === undefined ? '' : `, made by the process ${owner.split(':').slice(0, 2).reverse().join(' on ')}`
  throw new LvslabError('LAB_EXISTS', `the lab ${lab} is on this engine already (${count}${whose})`, {
    remedy: `# where nobody uses it any more:\n${removeByHand(lab)}`,
  })
}

/** What each driver is told. The bridge itself gets no address: it is no host of the network. */
const DRIVER_OPTIONS: Record<'macvlan' | 'bridge', Record<string, string>> = {
  macvlan: { macvlan_mode: 'bridge' },
  bridge: { 'com.docker.network.bridge.inhibit_ipv4': 'true' },
}

/**
 * A network of its own. `Internal` gives nobody a default route; node.sh sets the one that the topology has. For macvlan without a
 * parent Docker makes, and later removes, a dummy interface as the parent.
 */
const createNetwork = async (
  engine: Engine,
  topology: Topology,
  network: Network,
  labels: Record<string, string>,
): Promise<void> => {
  const { driver = 'macvlan' } = network
  try {
    await engine.docker.createNetwork({
      Name: networkName(topology, network.name),
      Driver: driver,
      Internal: true,
      Options: DRIVER_OPTIONS[driver],
      IPAM: { Driver: 'default', Config: [{ Subnet: network.subnet, Gateway: unusedAddress(topology, network) }] },
      Labels: labels,
    })
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    if (!/pool overlaps/i.test(message)) {
      throw new LvslabError('LAB_NETWORK', `cannot create the network ${network.name}: ${message}`, { cause })
    }
    throw new LvslabError('LAB_SUBNET_OVERLAP', `${network.subnet} (${network.name}) is in use on this engine`, {
      remedy:
        'remove the network that has it (`docker network ls`), or use the vm engine, where every lab has its own world',
      cause,
    })
  }
}

/** Docker keeps one address of every network for a gateway: the highest that nobody in the topology has. */
const unusedAddress = (topology: Topology, network: Network): string => {
  const subnet = parseSubnet(network.subnet)
  const taken = new Set(topology.nodes.flatMap(addressesOf))
  for (let address = (subnet?.last ?? 0) - 1; subnet && address > subnet.first; address--) {
    const text = formatIpv4(address)
    if (!taken.has(text) && text !== network.gateway) return text
  }
  throw new LvslabError('LAB_SUBNET_FULL', `${network.subnet} has no address left for Docker`, { exitCode: 2 })
}

const startNode = async (
  engine: Engine,
  topology: Topology,
  node: Node,
  { image, files, labels }: { image: string; files: NodeFile[]; labels: Record<string, string> },
): Promise<void> => {
  const [first, ...further] = node.interfaces
  if (!first) throw new LvslabError('TOPOLOGY_INVALID', `${node.name} has no interface`, { exitCode: 2 })
  const said: string[] = []
  const container = new NodeContainer(image)
    .withName(containerName(topology, node.name))
    .withHostname(node.name)
    .withPrivilegedMode()
    .withLabels({ ...labels, [LABEL_NODE]: node.name })
    .withAddress(networkName(topology, first.network), first.address)
    .withCopyContentToContainer([
      { content: nodeScript(topology, node), target: '/etc/lvslab/node.sh', mode: 0o755 },
      ...files.map(file => ({ content: file.content, target: file.path, mode: file.mode })),
    ])
    .withLogConsumer(stream => stream.on('data', chunk => said.push(String(chunk))))
    .withWaitStrategy(Wait.forLogMessage('lvslab-node-ready'))
    .withStartupTimeout(START_DEADLINE_MS)
  for (const { network, address } of further) {
    container.withFurtherAddress(async id => {
      const endpoint = { Container: id, EndpointConfig: { IPAMConfig: { IPv4Address: address } } }
      await engine.docker.getNetwork(networkName(topology, network)).connect(endpoint)
    })
  }
  try {
    await container.start()
  } catch (cause) {
    throw startFailed(node.name, said.join(''), files, cause)
  }
}

/**
 * The agent is spoken to by its standard input and output, which the engine must neither close nor log: whoever attaches is
 * answered as soon as it runs. Where the engine has a port for it, by that as well.
 */
const startAgent = async (
  engine: Engine,
  topology: Topology,
  images: string,
  labels: Record<string, string>,
): Promise<void> => {
  const container = await engine.docker.createContainer({
    Image: imageName('agent', images),
    name: containerName(topology, AGENT_NODE),
    Labels: labels,
    ...(engine.agentPort && { Cmd: [engine.agentPort.device] }),
    OpenStdin: true,
    HostConfig: { Privileged: true, NetworkMode: 'host', PidMode: 'host', LogConfig: { Type: 'none', Config: {} } },
  })
  await container.start()
}
