import type { DirectorConfig, Notice, VrrpInstance } from '../../model/types.ts'
import { isMulticast } from './address.ts'
import { configId, type Loaded, loadTree } from './load.ts'
import { hasValues } from './missing.ts'
import { attempt, type OnError, throwIt } from './on-error.ts'
import { keyword, type Statement } from './parse.ts'
import { readGroups } from './server-group.ts'
import { withSyncGroups } from './sync-group.ts'
import { readScripts } from './track.ts'
import { readStatics, trackable } from './unpredicted.ts'
import { all, argument, duration, flag, integer, last, note } from './values.ts'
import { Groups, readServices } from './virtual-server.ts'
import { vmacNames, writtenName } from './vmac.ts'
import { readVersion } from './vrrp-fields.ts'
import { readInstance, type VrrpDefaults } from './vrrp-instance.ts'

/** Where one director's configuration stands. */
export interface DirectorSource {
  /** Name of the node in the topology. */
  node: string
  /** Folder that is laid over the node's root. */
  root: string
  /** Absolute path on the node; default `/etc/keepalived/keepalived.conf`. */
  file?: string
  /** Name that `@NAME` lines ask for, as `keepalived -i` gives it; default the node's, up to its first dot. */
  instance?: string
}

/**
 * Reads what one director is configured to do: keepalived.conf and its includes, with keepalived's own defaults filled
 * in. What keepalived ignores or corrects is taken as keepalived takes it, and listed in `notices`.
 *
 * @throws LvslabError with exit code 2: CONFIG_NOT_FOUND, CONFIG_UNBALANCED, CONFIG_QUOTE, CONFIG_BINARY,
 *   CONFIG_ENCODING, CONFIG_INCLUDE_OUTSIDE, CONFIG_INCLUDE_LOOP, CONFIG_TOO_LARGE, CONFIG_EXPANSION, CONFIG_UNSUPPORTED,
 *   CONFIG_REFUSED (keepalived itself would not start)
 */
export const readDirector = (source: DirectorSource): DirectorConfig => {
  const { node, root, file = '/etc/keepalived/keepalived.conf', instance = configId(node) } = source
  return interpret(node, loadTree(root, file, { instance }))
}

/**
 * What the statements of a configuration mean; adds to their notices.
 *
 * @param onError where it does not throw, a block that keepalived refuses is left out
 * @throws LvslabError CONFIG_REFUSED
 */
export const interpret = (
  node: string,
  { statements: read, files, notices }: Loaded,
  onError: OnError = throwIt,
): DirectorConfig => {
  const statements = read.filter(statement => attempt(() => hasValues(statement), false, onError))
  const globals = all(statements, 'global_defs').flatMap(statement => statement.block ?? [])
  noteUnknown(statements, notices)
  noteUnmodelled(statements, notices)
  const groups = new Groups(attempt(() => readGroups(statements, notices), new Map(), onError))
  return {
    node,
    instances: readInstances(
      statements,
      {
        ...attempt(() => readDefaults(globals, notices), DEFAULTS, onError),
        scripts: attempt(() => readScripts(statements, notices), [], onError),
        tracked: trackable(statements),
        vmacName: vmacNames(all(globals, 'vmac_prefix')[0]?.words[1]?.text ?? 'vrrp', writtenVmacs(statements)),
      },
      notices,
      onError,
    ),
    services: all(statements, 'virtual_server').flatMap(statement =>
      attempt(() => readServices(statement, groups, notices), [], onError),
    ),
    ...readStatics(statements, last(globals, 'default_interface')?.words[1]?.text, notices),
    startupDelay: attempt(() => readStartupDelay(globals, notices), 0, onError),
    ...readTimeouts(globals, notices),
    ...delayedInterfaces(statements),
    files,
    notices,
  }
}

const readInstances = (
  statements: Statement[],
  defaults: VrrpDefaults,
  notices: Notice[],
  onError: OnError,
): VrrpInstance[] => {
  const instances: VrrpInstance[] = []
  const names = new Set<string>()
  for (const statement of all(statements, 'vrrp_instance')) {
    const instance = attempt(() => readInstance(statement, defaults, notices), undefined, onError)
    if (instance && names.has(instance.name))
      note(notices, statement, `vrrp_instance ${instance.name} stands twice; keepalived skips the second`)
    else if (instance) {
      names.add(instance.name)
      instances.push(instance)
    }
  }
  return attempt(() => withSyncGroups(statements, instances, defaults, notices), instances, onError)
}

const writtenVmacs = (statements: Statement[]): string[] =>
  all(statements, 'vrrp_instance')
    .flatMap(({ block = [] }) => all(block, 'use_vmac'))
    .flatMap(line => writtenName(line) ?? [])

/** What keepalived obeys and no prediction knows: it may change when a director moves, so it is never passed over. */
const UNMODELLED = [
  'track_file',
  'vrrp_track_file',
  'vrrp_track_process',
  'bfd_instance',
  'static_ipaddress',
  'static_routes',
  'static_rules',
  'interface_up_down_delays',
  'linkbeat_use_polling',
  'linkbeat_interfaces',
]

const noteUnmodelled = (statements: Statement[], notices: Notice[]): void => {
  const served = new Set(all(statements, 'virtual_server').map(({ words }) => words[1]?.text))
  // who has the address of a service for good is known by it
  const isKnown = ({ words: [first], block = [] }: Statement): boolean =>
    first.text === 'static_ipaddress' && block.every(({ words }) => served.has(words[0].text.replace(/\/.*/, '')))
  for (const statement of all(statements, ...UNMODELLED).filter(one => !isKnown(one)))
    note(notices, statement, `${spoken(statement)} is obeyed by keepalived; the predictions do not know it`)
}

/**
 * Blocks and settings that may stand outside of every block (global_parser.c, vrrp_parser.c, check_parser.c, bfd_parser.c:
 * `install_keyword_root`).
 */
const ROOT = [
  ...['global_defs', 'net_namespace', 'net_namespace_ipvs', 'namespace_with_ipsets', 'use_pid_dir', 'instance'],
  'child_wait_time',
  ...['vrrp_instance', 'vrrp_sync_group', 'vrrp_script', 'garp_group', 'track_group', 'SSL'],
  ...['virtual_server', 'virtual_server_group'],
  ...UNMODELLED,
]

/** A line that has left its block is the usual way to lose it. */
const noteUnknown = (statements: Statement[], notices: Notice[]): void => {
  for (const statement of statements)
    if (!ROOT.includes(keyword(statement)))
      note(notices, statement, `${keyword(statement)} stands outside of every block; keepalived ignores it`)
}

const spoken = (statement: Statement): string => statement.words.map(word => word.text).join(' ')

type Defaults = Omit<VrrpDefaults, 'scripts' | 'tracked' | 'vmacName'>

const DEFAULTS: Defaults = {
  version: undefined,
  multicastGroup: '224.0.0.18',
  interface: undefined,
  strict: false,
  downTimerAdverts: 3,
}

const readDefaults = (globals: Statement[], notices: Notice[]): Defaults => {
  const group = last(globals, 'vrrp_mcast_group4')
  let { multicastGroup } = DEFAULTS
  if (group && isMulticast(argument(group), 4)) multicastGroup = argument(group)
  else if (group)
    note(
      notices,
      group,
      `vrrp_mcast_group4 ${argument(group)} is not the address of an IPv4 multicast group; keepalived takes ${multicastGroup}`,
    )
  const down = last(globals, 'vrrp_down_timer_adverts')
  return {
    version: readVersion(globals, notices),
    multicastGroup,
    interface: last(globals, 'default_interface')?.words[1]?.text,
    strict: flag(last(globals, 'vrrp_strict'), notices) ?? false,
    downTimerAdverts:
      (down && integer(down, { min: 1, max: 100, otherwise: 'ignores the line', lenient: true }, notices)) ??
      DEFAULTS.downTimerAdverts,
  }
}

/** Interfaces of which keepalived hears late that they are up or down (keepalived_netlink.c `update_interface_flags`). */
const delayedInterfaces = (statements: Statement[]): Pick<DirectorConfig, 'delayedInterfaces'> => {
  const lines = all(statements, 'interface_up_down_delays').flatMap(one => one.block ?? [])
  return lines.length === 0 ? {} : { delayedInterfaces: lines.map(keyword) }
}

/** `lvs_timeouts tcp 900 tcpfin 120 udp 300`, each of them or some (global_parser.c `lvs_timeouts`). */
const readTimeouts = (globals: Statement[], notices: Notice[]): Pick<DirectorConfig, 'finWait' | 'udpTimeout'> => {
  const line = last(globals, 'lvs_timeouts')
  const read = (word: 'tcpfin' | 'udp'): number | undefined => {
    const at = line?.words.findIndex(one => one.text === word) ?? -1
    const number = line?.words[at + 1]
    if (!line || at < 1 || !number) return undefined
    const seconds = /^\d+$/.test(number.text) ? Number(number.text) : -1
    // 0 leaves the kernel's own alone
    if (seconds >= 0 && seconds <= 2_678_400) return seconds * 1000 || undefined
    note(notices, line, `${word} ${number.text} is not a number from 0 to 2678400; keepalived goes without it`)
    return undefined
  }
  const [finWait, udpTimeout] = [read('tcpfin'), read('udp')]
  return { ...(finWait !== undefined && { finWait }), ...(udpTimeout !== undefined && { udpTimeout }) }
}

/** ms */
const readStartupDelay = (globals: Statement[], notices: Notice[]): number => {
  const line = last(globals, 'vrrp_startup_delay')
  const range = { min: 0.001, max: 4_294, otherwise: 'ignores the line', lenient: true }
  return (line && duration(line, range, notices)) ?? 0
}
