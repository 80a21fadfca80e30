import type { Position } from '../errors.ts'
import { seconds } from './bound.ts'
import type { DirectorConfig, VrrpInstance } from './types.ts'

/** A difference between two directors' configurations, and what it does. */
export interface DualMasterCause {
  /** The keyword that differs: `auth_pass`. */
  what: string
  /** One sentence with both values (never a secret's) and the consequence. */
  message: string
  /** Where the two stand. */
  at: [Position, Position]
}

interface Side {
  node: string
  instance: VrrpInstance
}

/**
 * The instances of the other director that one is meant for: those that share a VIP, else its number, else its name.
 */
const counterparts = (a: VrrpInstance, others: Side[]): Side[] => {
  const sharing = others.filter(b => a.addresses.some(vip => b.instance.addresses.some(o => o.address === vip.address)))
  if (sharing.length > 0) return sharing
  const numbered = others.filter(b => b.instance.virtualRouterId === a.virtualRouterId)
  return numbered.length > 0 ? numbered : others.filter(b => b.instance.name === a.name)
}

const vips = (instance: VrrpInstance): string =>
  [...new Set(instance.addresses.map(vip => vip.address))].sort().join(' ')
const authType = (instance: VrrpInstance): string => instance.authentication?.type ?? 'none'
const isUnicast = (instance: VrrpInstance): boolean => instance.unicastPeers.length > 0

const DROP = "each drops the other's adverts, and both become MASTER"

const compare = (a: Side, b: Side): DualMasterCause[] => {
  const one = a.instance
  const two = b.instance
  const causes: DualMasterCause[] = []
  const differs = (what: string, left: string | number, right: string | number, consequence: string): void => {
    if (left === right) return
    const message = `${what} differs (${a.node}: ${left}, ${b.node}: ${right}): ${consequence}`
    causes.push({ what, message, at: [one.at, two.at] })
  }

  differs(
    'virtual_router_id',
    one.virtualRouterId,
    two.virtualRouterId,
    'they are two groups, and each has its own MASTER',
  )
  if (isUnicast(one) !== isUnicast(two))
    differs('unicast_peer', isUnicast(one) ? 'unicast' : 'multicast', isUnicast(two) ? 'unicast' : 'multicast', DROP)
  else if (!isUnicast(one))
    differs(
      'multicast group',
      one.multicastGroup,
      two.multicastGroup,
      'neither hears the other, and both become MASTER',
    )
  differs('version', one.version, two.version, DROP)
  if (one.version === 2 && two.version === 2) {
    differs('auth_type', authType(one), authType(two), DROP)
    const left = one.authentication
    const right = two.authentication
    if (left && right && left.type === right.type && left.secret !== right.secret)
      causes.push({
        what: 'auth_pass',
        message: `auth_pass differs between ${a.node} and ${b.node}: ${DROP}`,
        at: [left.at, right.at],
      })
    differs('advert_int', seconds(one.advertInterval), seconds(two.advertInterval), `in version 2 ${DROP}`)
  }
  differs(
    'virtual_ipaddress',
    vips(one) || 'none',
    vips(two) || 'none',
    `keepalived before 2.3.3 drops such adverts, and both become MASTER; from 2.3.3 on it only warns`,
  )
  return causes
}

/**
 * Why two directors could both be MASTER, on paper: every difference that makes keepalived drop the other's adverts
 * (keepalived vrrp.c `vrrp_check_packet`). Empty where the configurations agree; the network may still part them.
 */
export const explainDualMaster = (configs: DirectorConfig[]): DualMasterCause[] =>
  configs.flatMap((first, index) =>
    configs.slice(index + 1).flatMap(second => {
      const others = second.instances.map(instance => ({ node: second.node, instance }))
      return first.instances.flatMap(instance =>
        counterparts(instance, others).flatMap(other => compare({ node: first.node, instance }, other)),
      )
    }),
  )
