import type { Engine } from '../engine/engine.ts'
import { LvslabError } from '../errors.ts'
import { addressesOf } from '../topology/addresses.ts'
import type { Topology } from '../topology/types.ts'
import { imageName } from './images.ts'

/** Neighbours that Linux keeps without looking for old ones to throw away: gc_thresh2 (net/ipv4/arp.c, arp_tbl). */
const WITHOUT_LOSS = 512

/** The most that a topology may have; one entry is about 400 bytes. */
const LIMIT = 65_536

/** Whether the directors of a topology may come to know more neighbours than one kernel keeps by default. */
export const hasManyNeighbours = ({ nodes }: Topology): boolean => {
  const directors = nodes.filter(node => node.role === 'director').length
  return directors * new Set(nodes.flatMap(addressesOf)).size > WITHOUT_LOSS
}

/**
 * Lets the kernel of an embedded engine keep as many neighbours as all directors together have real servers. The limit is not a
 * namespace's but the whole kernel's, and directors of metal have one each. `--engine docker`: the kernel is not ours to change.
 */
export const keepManyNeighbours = async (engine: Engine, images: string): Promise<void> => {
  if (engine.kind !== 'vm') return
  const script = `cd /proc/sys/net/ipv4/neigh/default; for n in 3 2 1; do echo ${LIMIT} > gc_thresh$n; done`
  const container = await engine.docker.createContainer({
    Image: imageName('base', images),
    Entrypoint: ['sh', '-ec', script],
    // the engine's own network namespace alone has the setting
    HostConfig: { Privileged: true, NetworkMode: 'host' },
  })
  await container.start()
  const { StatusCode: code } = (await container.wait()) as { StatusCode: number }
  await container.remove()
  if (code !== 0)
    throw new LvslabError('LAB_NEIGHBOURS', `the engine's limit of neighbours could not be raised (${code})`)
}
