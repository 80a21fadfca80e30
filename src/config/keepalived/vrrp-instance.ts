import type { Notice, VipAddress, VrrpInstance } from '../../model/types.ts'
import { addressOf, ipVersion, isMulticast, readAddresses } from './address.ts'
import type { Statement } from './parse.ts'
import { noteNotify, readTrackedInterfaces, readTrackedScripts, type ScriptDefinition } from './track.ts'
import { readUnpredicted, type Trackable } from './unpredicted.ts'
import { all, argument, flag, integer, last, note, refused } from './values.ts'
import { LONGEST_DEVICE, writtenName } from './vmac.ts'
import {
  readAdvertInterval,
  readAuthentication,
  readPeers,
  readPreemption,
  readState,
  readVersion,
} from './vrrp-fields.ts'

/** What `global_defs` sets for every VRRP instance. */
export interface VrrpDefaults {
  version: 2 | 3 | undefined
  multicastGroup: string
  interface: string | undefined
  strict: boolean
  downTimerAdverts: number
  /** The name of a VMAC that is given none. */
  vmacName: (virtualRouterId: number, family: 4 | 6) => string
  /** The `vrrp_script` blocks of the whole configuration. */
  scripts: ScriptDefinition[]
  /** What it defines to be tracked beside scripts. */
  tracked: Trackable
}

/**
 * One `vrrp_instance` with keepalived's own defaults and corrections (keepalived vrrp_parser.c, and vrrp.c
 * `vrrp_complete_instance`). Undefined where keepalived skips the block.
 *
 * @throws LvslabError CONFIG_REFUSED where keepalived does not start
 */
export const readInstance = (
  statement: Statement,
  defaults: VrrpDefaults,
  notices: Notice[],
): VrrpInstance | undefined => {
  const block = statement.block ?? []
  if (statement.words.length !== 2) {
    note(notices, statement, 'vrrp_instance takes exactly one name; keepalived skips the block')
    return undefined
  }
  const name = argument(statement)

  const device = readInterface(block) ?? defaults.interface ?? deviceOfUnicast(statement, block, name, notices)
  if (device === undefined)
    throw refused(
      statement,
      `vrrp_instance ${name} has no interface`,
      'Add `interface eth0` with the name that it has on the node.',
    )
  const vridLine = last(block, 'virtual_router_id')
  const virtualRouterId = vridLine && integer(vridLine, { min: 1, max: 255, otherwise: 'ignores the line' }, notices)
  if (virtualRouterId === undefined)
    throw refused(
      vridLine ?? statement,
      `vrrp_instance ${name} has no valid virtual_router_id`,
      'Add `virtual_router_id N` with N from 1 to 255, the same on every director of the group.',
    )

  const listed = eachOnce(
    ofOneFamily(readAddresses(all(block, 'virtual_ipaddress'), device, notices), notices),
    notices,
  )
  const ipv6 = listed[0] !== undefined && ipVersion(listed[0].address) === 6
  const vmacLine = last(block, 'use_vmac')
  const vmac = vmacLine && (readVmacName(vmacLine, notices) ?? defaults.vmacName(virtualRouterId, ipv6 ? 6 : 4))
  // those of the instance's family that are on its interface, also where the line says so (vrrp.c `vrrp_complete_instance`)
  const onVmac = (vip: VipAddress): VipAddress =>
    vmac !== undefined && vip.device === device && ipVersion(vip.address) === (ipv6 ? 6 : 4)
      ? { ...vip, device: vmac }
      : vip
  const addresses = listed.map(onVmac)
  const version = readVersion(block, notices) ?? (ipv6 ? 3 : (defaults.version ?? 2))
  if (addresses.length === 0 && version === 3)
    throw refused(statement, `vrrp_instance ${name} has no VIP; version 3 needs one`, 'Add a virtual_ipaddress block.')

  const strict = flag(last(block, 'strict_mode'), notices) ?? defaults.strict
  const wanted = readState(block, notices)
  const priorityLine = last(block, 'priority')
  const priority = priorityLine
    ? (integer(priorityLine, { min: 1, max: 255, otherwise: 'takes 100' }, notices) ?? 100)
    : wanted === 'MASTER'
      ? 255
      : 100
  if (!priorityLine && wanted === 'MASTER')
    note(
      notices,
      statement,
      `vrrp_instance ${name} has no priority; with state MASTER keepalived takes 255, the address owner`,
    )

  const owner = priority === 255
  let state = wanted ?? (owner ? 'MASTER' : 'BACKUP')
  if (strict && wanted && (wanted === 'MASTER') !== owner) {
    state = owner ? 'MASTER' : 'BACKUP'
    note(
      notices,
      statement,
      `state ${wanted} does not fit priority ${priority} in strict mode; keepalived takes ${state}`,
    )
  }

  noteNotify(block, name, notices)
  const down = last(block, 'down_timer_adverts')
  const source = readSource(block, ipv6 ? 6 : 4, notices)
  const authentication = readAuthentication(block, version, strict, notices)
  return {
    name,
    state,
    interface: device,
    ...(vmac === undefined ? {} : { vmac }),
    ...(hasAddressVmacs(block) && { addressVmacs: true as const }),
    virtualRouterId,
    priority,
    advertInterval: readAdvertInterval(block, version, notices),
    version,
    ...readPreemption(block, state, owner, strict, notices),
    downTimerAdverts:
      (down && integer(down, { min: 1, max: 100, otherwise: 'ignores the line', lenient: true }, notices)) ??
      defaults.downTimerAdverts,
    strict,
    ...(source === undefined ? {} : { sourceAddress: source }),
    ...(authentication === undefined ? {} : { authentication }),
    multicastGroup: readGroup(block, ipv6 ? 6 : 4, notices) ?? (ipv6 ? 'ff02::12' : defaults.multicastGroup),
    unicastPeers: readPeers(all(block, 'unicast_peer'), ipv6 ? 6 : 4, notices),
    addresses,
    excludedAddresses: readAddresses(all(block, 'virtual_ipaddress_excluded'), device, notices).map(onVmac),
    trackScripts: readTrackedScripts(all(block, 'track_script'), defaults.scripts, name, notices),
    trackInterfaces: readTrackedInterfaces(all(block, 'track_interface'), { name, interface: device }, notices),
    ...readUnpredicted(block, defaults.tracked, name, notices),
    trackPrimary: last(block, 'dont_track_primary') === undefined,
    at: statement.at,
  }
}

/** Of `interface`; keepalived ignores a name that is too long, and has no instance then (vrrp_parser.c `vrrp_int_handler`). */
const readInterface = (block: Statement[]): string | undefined => {
  const line = last(block, 'interface')
  const name = line && argument(line)
  if (line && name && name.length > LONGEST_DEVICE)
    throw refused(
      line,
      `interface ${name} is longer than the ${LONGEST_DEVICE} characters that the name of an interface has`,
      'Write the name that it has on the node: ip -br link.',
    )
  return name
}

/** keepalived makes one for each device that a VIP is on (vrrp.c `vrrp_complete_instance`). */
const hasAddressVmacs = (block: Statement[]): boolean =>
  all(block, 'use_vmac_addr').length > 0 ||
  all(block, 'virtual_ipaddress', 'virtual_ipaddress_excluded').some(({ block: lines = [] }) =>
    lines.some(({ words }) => words.some(({ text }) => text === 'use_vmac')),
  )

/** A name that the kernel gives to no device is left out (vrrp_parser.c `vrrp_vmac_handler`). */
const readVmacName = (line: Statement, notices: Notice[]): string | undefined => {
  const name = writtenName(line)
  if (name === undefined || (name.length <= LONGEST_DEVICE && !/^\.\.?$|\//.test(name))) return name
  note(notices, line, `use_vmac ${name} is no name of an interface; keepalived ignores the name`)
  return undefined
}

/** Of IPv4 and IPv6 in one list keepalived takes what the first address is (vrrp_data.c alloc_vrrp_vip). */
const ofOneFamily = (vips: VipAddress[], notices: Notice[]): VipAddress[] => {
  const family = ipVersion(vips[0]?.address ?? '')
  return vips.filter(({ address, at }) => {
    if (ipVersion(address) === family) return true
    notices.push({
      at,
      message: `${address} is not of the family of the first VIP, ${vips[0]?.address}; keepalived leaves it out, and takes it in virtual_ipaddress_excluded`,
    })
    return false
  })
}

/** Neither prefix nor device make another VIP of an address (vrrp_data.c `vip_is_duplicate`). */
const eachOnce = (vips: VipAddress[], notices: Notice[]): VipAddress[] => {
  const seen = new Set<string>()
  return vips.filter(({ address, at }) => {
    if (seen.has(address)) notices.push({ at, message: `VIP ${address} stands twice; keepalived ignores the second` })
    else return seen.add(address)
    return false
  })
}

const readGroup = (block: Statement[], family: 4 | 6, notices: Notice[]): string | undefined => {
  const line = last(block, 'mcast_dst_ip')
  if (!line) return undefined
  const group = argument(line)
  if (isMulticast(group, family)) return group
  note(
    notices,
    line,
    `mcast_dst_ip ${group} is not the address of an IPv${family} multicast group; keepalived ignores the line`,
  )
  return undefined
}

/** With peers to speak to an instance needs no interface, if each of its VIPs has one: that of the first is taken. */
const deviceOfUnicast = (
  statement: Statement,
  block: Statement[],
  name: string,
  notices: Notice[],
): string | undefined => {
  if (all(block, 'unicast_peer').length === 0) return undefined
  const devices = all(block, 'virtual_ipaddress')
    .flatMap(list => list.block ?? [])
    .map(({ words }) => words[words.findIndex(word => word.text === 'dev') + 1 || words.length]?.text)
  const [first] = devices
  if (first === undefined || devices.includes(undefined)) return undefined
  note(notices, statement, `vrrp_instance ${name} has no interface: what a lost link does is not predicted`)
  return first
}

/** An address of its own that the instance speaks from. */
const readSource = (block: Statement[], family: 4 | 6, notices: Notice[]): string | undefined => {
  const line = last(block, 'mcast_src_ip', 'unicast_src_ip')
  if (!line) return undefined
  const source = addressOf(argument(line))
  if (ipVersion(source) === family) return source
  const what = ipVersion(source) === 0 ? 'is not an address' : 'is not of the family of the VIPs'
  note(notices, line, `${line.words[0].text} ${argument(line)} ${what}; keepalived ignores the line`)
  return undefined
}
