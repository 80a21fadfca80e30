import type { Steps } from '../engine/progress.ts'
import { KEEPALIVED_PROGRAM, keepalivedProgram, OTHER_KEEPALIVED } from '../engine/vm/other-keepalived.ts'
import type { LockedPackage } from '../engine/vm/packages.ts'
import type { NodeFile } from '../topology/node-files.ts'
import type { Topology } from '../topology/types.ts'

/** The package of a topology's keepalived; undefined where it is that of the images. */
export const otherKeepalived = ({ keepalived }: Topology): LockedPackage | undefined =>
  keepalived && OTHER_KEEPALIVED[keepalived]

/** What of it reports say in place of the images' version. */
export const keepalivedFacts = (topology: Topology): Record<string, string> => {
  const other = otherKeepalived(topology)
  return other ? { keepalived: other.version } : {}
}

/** What is laid over the directors of a topology for its keepalived: nothing, or the program. @throws LvslabError ENGINE_PACKAGE_GONE */
export const keepalivedFiles = async (topology: Topology, steps: Steps, signal?: AbortSignal): Promise<NodeFile[]> => {
  const other = otherKeepalived(topology)
  if (!other) return []
  return [
    { path: KEEPALIVED_PROGRAM, content: await keepalivedProgram(other, steps, signal), mode: 0o755 },
    // for images/base/root/usr/lib/lvslab/network: 2.3 was the first to mark its addresses (`ip address`: proto keepalived)
    { path: '/etc/lvslab/vips-unmarked', content: Buffer.alloc(0), mode: 0o644 },
  ]
}
