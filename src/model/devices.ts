import type { Position } from '../errors.ts'
import type { ConfiguredLine, DirectorConfig } from './types.ts'

/** A device that a line of a configuration names. */
export interface NamedDevice {
  device: string
  /** The gateway that a route has behind it. */
  gateway?: string
  at: Position
}

/** Of routes and rules (keepalived vrrp_iproute.c `alloc_route`, vrrp_iprule.c `alloc_rule`). */
const namedIn = (lines: ConfiguredLine[]): NamedDevice[] =>
  lines.flatMap(({ words, at }) =>
    words.flatMap((word, n) => {
      const device = words[n + 1]
      if (!['dev', 'oif', 'iif'].includes(word) || device === undefined) return []
      const hop = words.slice(words.lastIndexOf('nexthop', n) + 1)
      const via = hop.findIndex((one, m) => one === 'via' && !hop.slice(0, m).includes('nexthop'))
      const gateway = via < 0 ? undefined : hop[via + 1]
      return [{ device, at, ...(gateway !== undefined && { gateway }) }]
    }),
  )

/** Devices that an instance, or what stays whoever is MASTER, names beside the interface of the instance and its VMAC. */
export const namedDevices = ({ instances, statics }: DirectorConfig): NamedDevice[] => [
  ...instances.flatMap(one => [
    ...[...one.addresses, ...one.excludedAddresses].filter(({ device }) => device !== one.vmac),
    ...one.trackInterfaces.map(({ interface: device, at }) => ({ device, at })),
    ...namedIn([...(one.virtualRoutes ?? []), ...(one.virtualRules ?? [])]),
  ]),
  ...(statics ? [...statics.addresses, ...namedIn([...statics.routes, ...statics.rules])] : []),
]
