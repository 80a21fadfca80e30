/** Writes topologies/topology.schema.json anew from the schema in this folder. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { topologySchemaJson } from './schema.ts'

const root = join(import.meta.dirname, '../..')
const file = join(root, 'topologies/topology.schema.json')
writeFileSync(file, `${JSON.stringify(topologySchemaJson(), null, 2)}\n`)
execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', file], { cwd: root, stdio: 'inherit' })
