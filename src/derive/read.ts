import { basename, join, relative, resolve } from 'node:path'
import { interpret } from '../config/keepalived/director.ts'
import { loadTree } from '../config/keepalived/load.ts'
import { readTable, type TableConfig } from '../config/table.ts'
import { LvslabError } from '../errors.ts'
import { type DirectorFiles, directorFiles, KEEPALIVED, MAIN, pathOf, PLACES } from '../topology/director-files.ts'
import { addressesOfScript } from '../topology/rc-local.ts'
import { deriveTopology } from './derive.ts'
import type { Draft } from './draft.ts'
import { hasAddressesAlone, holdAddresses, withOwnAddresses, type WithServices } from './fixed.ts'
import { type HostName, hostNames, nodeName } from './host-names.ts'
import { markQuestions } from './marks.ts'
import { withScripts } from './scripts.ts'
import type { Brought } from './write.ts'

/** A draft, and what the directors bring to its folder. */
export interface Derived {
  draft: Draft
  directors: Brought[]
}

/**
 * Derives a topology from the configurations that a path leads to: a folder with a folder or a .conf file for each director, or
 * one director's own. An ldirectord.cf or an ipvsadm-save file is one director's, and so is a keepalived.conf without VRRP; a
 * keepalived.conf comes before them.
 *
 * @throws LvslabError DIRECTOR_FILES, DERIVE_NOTHING, DERIVE_NAMES, DERIVE_TABLES, and those of the reader
 */
export const deriveFrom = (path: string): Derived => {
  const given = directorFiles(resolve(path))
  const hosts = hostNames(given.map(files => files.name))
  const all = given.map(files => ({ ...files, name: hosts(files.name).node, host: hosts(files.name) }))
  const found = all.filter(
    ({ program, name }, n) => program === 'keepalived' || all.findIndex(other => other.name === name) === n,
  )
  const twice = found.find((one, n) => found.findIndex(other => other.name === one.name) !== n)
  if (twice)
    throw new LvslabError('DERIVE_NAMES', `two directors would be called ${twice.name}`, {
      remedy: 'give their folders, or files, names that differ in letters and digits',
      exitCode: 2,
    })
  const name = nodeName(basename(resolve(path)).replace(/\.conf$/, ''))
  const table = found.find(({ program }) => program !== 'keepalived')
  if (table) {
    if (found.length > 1) throw notAlone(found, table)
    return ofTable(name, table)
  }
  const read = found.map(files => configOf(files, files.host))
  const configs = read.map(one => one.config)
  const [first] = configs
  const [files] = found
  const withoutVrrp = first !== undefined && files !== undefined && configs.every(hasAddressesAlone)
  if (withoutVrrp && found.length > 1) throw notAlone(found, files)
  const draft = withoutVrrp ? ofOwner(name, first, files) : deriveTopology(name, configs)
  const passedOver = all
    .filter(one => !found.includes(one))
    .map(one => `${one.name}: ${basename(one.file)} is beside its keepalived.conf: what it says is not judged`)
  const directors = found.map((files, n) => brought(files, read[n]?.config.files ?? []))
  const whole = withScripts(draft, configs, directors)
  const questions = [
    ...read.flatMap(one => one.questions),
    ...whole.questions,
    ...markQuestions(configs, directors),
    ...passedOver,
  ]
  return { draft: { ...whole, questions }, directors }
}

/** Of one director without VRRP. */
const ofTable = (name: string, files: DirectorFiles): Derived => {
  const { root, file, program, whole } = files
  const main = pathOf(files)
  const config = readTable(files.name, program as TableConfig['program'], main)
  const [place] = PLACES[program]
  const draft = ofOwner(name, config, files)
  const from = {
    ...(whole && root !== '/' ? { '/': root } : {}),
    ...(whole && file === place ? {} : { [place]: main }),
  }
  return { draft, directors: [{ node: files.name, from: root === '/' ? { [place]: main } : from }] }
}

/** Of a director to whom nothing gives the addresses of its services. */
const ofOwner = (name: string, config: WithServices, { root, whole, mount }: DirectorFiles): Draft => {
  // of this machine, and of a single file, no script is brought
  const scripted = whole && mount === '/' && root !== '/' ? addressesOfScript(root) : []
  return holdAddresses(deriveTopology(name, [withOwnAddresses(config)]), config, scripted)
}

const notAlone = (found: DirectorFiles[], table: DirectorFiles): LvslabError =>
  new LvslabError(
    'DERIVE_TABLES',
    `${table.name} has ${basename(table.file)} and no VRRP, and there are ${found.length} directors (${found.map(one => one.name).join(', ')}): nothing says who has which address`,
    { remedy: 'derive from the files of each director alone, or write topology.yaml', exitCode: 2 },
  )

/**
 * Reads a director's keepalived.conf as the keepalived of its node will; says where that of its host would find other lines in it.
 */
const configOf = ({ root, file, mount }: DirectorFiles, { node, lost }: HostName) => {
  const loaded = loadTree(root, file, { mount, instance: node })
  const config = interpret(node, loaded)
  if (!lost) return { config, questions: [] }
  const atHome = loadTree(root, file, { mount, instance: lost.id, onError: () => undefined })
  const questions =
    JSON.stringify(atHome.statements) === JSON.stringify(loaded.statements)
      ? []
      : [
          `${node}: its configuration asks for the host ${lost.id} (@${lost.id}, $_INSTANCE), and ${lost.why}: it is read as that of ${node}`,
        ]
  return { config, questions }
}

/** Everything that was given of the node; of a single file, that and what it includes. */
const brought = ({ name, root, mount, file, whole }: DirectorFiles, files: string[]): Brought => {
  // of this machine, its configuration alone
  if (root === '/') return { node: name, from: { [KEEPALIVED]: KEEPALIVED } }
  if (whole) return { node: name, from: { [mount]: root } }
  const main = join(root, relative(mount, file))
  const included = files.filter(one => one !== main).map(one => [join(mount, relative(root, one)), one])
  return { node: name, from: { [join(KEEPALIVED, MAIN)]: main, ...Object.fromEntries(included) } }
}
