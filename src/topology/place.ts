import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Position } from '../errors.ts'
import { shortPath, TOPOLOGY_FILE_NAME } from './find.ts'
import { type Path, YamlSource } from './source.ts'
import type { Topology } from './types.ts'

/** Where something of a topology stands in its file, for what turns out to be wrong only later; undefined without a file. */
export const placeIn = (topology: Topology, path: Path): Position | undefined => {
  const file = join(topology.dir, TOPOLOGY_FILE_NAME)
  try {
    return new YamlSource(shortPath(file), readFileSync(file, 'utf8')).place(path)
  } catch {
    return undefined
  }
}
