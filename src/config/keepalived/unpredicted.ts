import type { ConfiguredLine, DirectorConfig, Notice, TrackedObject, VrrpInstance } from '../../model/types.ts'
import { readAddresses } from './address.ts'
import { keyword, type Statement } from './parse.ts'
import { readTracked, readWeight } from './track.ts'
import { all, last, note } from './values.ts'

/** What keepalived obeys and no prediction knows, as data. */

const linesOf = (blocks: Statement[]): ConfiguredLine[] =>
  blocks.flatMap(block => block.block ?? []).map(line => ({ words: line.words.map(word => word.text), at: line.at }))

/** A property, unless there is nothing in it. */
const unlessEmpty = <K extends string, T>(name: K, values: T[]): Partial<Record<K, T[]>> =>
  values.length === 0 ? {} : ({ [name]: values } as Record<K, T[]>)

/** The blocks by which an instance tracks, the root blocks that define what is tracked, and the line that says what it is. */
const TRACKING = [
  { kind: 'file', block: 'track_file', definitions: ['track_file', 'vrrp_track_file'], of: ['file'], weight: 1 },
  { kind: 'process', block: 'track_process', definitions: ['vrrp_track_process'], of: ['process'], weight: 0 },
  { kind: 'bfd', block: 'track_bfd', definitions: ['bfd_instance'], of: ['neighbor_ip', 'neighbour_ip'], weight: 0 },
] as const

type Kind = (typeof TRACKING)[number]['kind']

/** The blocks that define what is tracked, by its kind and name. */
export type Trackable = Map<Kind, Map<string, Statement>>

export const trackable = (statements: Statement[]): Trackable =>
  new Map(
    TRACKING.map(({ kind, definitions, of }) => [
      kind,
      // keepalived leaves out what does not say what it looks at, and of two with one name the first counts
      new Map(
        all(statements, ...definitions)
          .filter(one => last(one.block ?? [], ...of))
          .toReversed()
          .map(one => [one.words[1]?.text ?? '', one]),
      ),
    ]),
  )

/**
 * Files, processes and BFD sessions that an instance tracks, and its routes and rules (keepalived track_file.c,
 * vrrp_track.c, vrrp_iproute.c, vrrp_iprule.c).
 */
export const readUnpredicted = (
  block: Statement[],
  tracked: Trackable,
  instance: string,
  notices: Notice[],
): Pick<VrrpInstance, 'trackObjects' | 'virtualRoutes' | 'virtualRules'> => {
  for (const line of all(block, ...TRACKING.map(one => one.block), 'virtual_routes', 'virtual_rules'))
    note(notices, line, `${keyword(line)} of ${instance} is obeyed by keepalived; the predictions do not know it`)
  return {
    ...unlessEmpty(
      'trackObjects',
      TRACKING.flatMap(how => readTracking(how, block, tracked, instance, notices)),
    ),
    ...unlessEmpty('virtualRoutes', linesOf(all(block, 'virtual_routes'))),
    ...unlessEmpty('virtualRules', linesOf(all(block, 'virtual_rules'))),
  }
}

const readTracking = (
  how: (typeof TRACKING)[number],
  block: Statement[],
  tracked: Trackable,
  instance: string,
  notices: Notice[],
): TrackedObject[] => {
  const lines = all(block, how.block).flatMap(one => one.block ?? [])
  return lines.flatMap(line => {
    const name = keyword(line)
    const definition = tracked.get(how.kind)?.get(name)
    if (!definition) {
      note(notices, line, `${instance}: there is no ${how.definitions[0]} ${name}; keepalived ignores the line`)
      return []
    }
    const inner = definition.block ?? []
    const weightLine = last(inner, 'weight')
    const ignored = { weight: how.weight, reverse: false }
    const own = readWeight(weightLine?.words.slice(1), weightLine, `takes ${how.weight}`, notices, ignored)
    const taken = readTracked(line, instance, own, notices)
    const of = last(inner, ...how.of)?.words.slice(1) ?? []
    if (!taken) return []
    return [{ kind: how.kind, name, of: of.map(word => word.text).join(' '), ...taken, at: line.at }]
  })
}

/**
 * `static_ipaddress`, `static_routes` and `static_rules`, which stay whoever is MASTER.
 *
 * @param device of the addresses that name none: `default_interface`
 */
export const readStatics = (
  statements: Statement[],
  device: string | undefined,
  notices: Notice[],
): Pick<DirectorConfig, 'statics'> => {
  const routes = linesOf(all(statements, 'static_routes'))
  const rules = linesOf(all(statements, 'static_rules'))
  // keepalived's own default (vrrp_ipaddress.c `alloc_ipaddress`, DFLT_INT)
  const addresses = readAddresses(all(statements, 'static_ipaddress'), device ?? 'eth0', notices)
  return routes.length + rules.length + addresses.length === 0 ? {} : { statics: { addresses, routes, rules } }
}
