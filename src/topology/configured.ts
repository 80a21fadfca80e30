import { join } from 'node:path'
import { readDirector } from '../config/keepalived/director.ts'
import { readTable } from '../config/table.ts'
import { LvslabError } from '../errors.ts'
import { endpoint } from '../model/endpoint.ts'
import type { DirectorConfig, VipAddress, VirtualService, VrrpInstance } from '../model/types.ts'
import { filesOfNode } from './director-files.ts'
import type { Node } from './types.ts'

/** More of a kind are counted, not listed. */
const MAX_LISTED = 8

/**
 * What a director's keepalived.conf or ldirectord.cf has it do, a line for each VRRP instance and each virtual service, one for what
 * it has by `static_ipaddress`:
 * `VI_1 10.0.0.100/24 dev eth0, VRID 50, priority 100`, `10.0.0.100:80/TCP rr DR -> 10.0.0.10:80, 10.0.0.20:80`. None where it cannot
 * be read: `lint` says why.
 */
export const configuredOf = (node: Node): string[] => {
  const config = node.role === 'director' ? readConfig(node) : undefined
  if (!config) return []
  const { instances, statics, services } = config
  const given = statics?.addresses ?? []
  return [
    ...listed(instances.map(vrrp), 'instances'),
    ...(given.length > 0 ? [`static_ipaddress ${places(given)}`] : []),
    ...listed(services.map(service), 'services'),
  ]
}

const readConfig = ({ name, files = '' }: Node): DirectorConfig | undefined => {
  // what ipvsadm restores is among the rules
  const [own] = files === '' ? [] : filesOfNode(name, files).filter(one => one.program !== 'ipvsadm')
  if (!own) return undefined
  try {
    if (own.program === 'keepalived') return readDirector({ node: name, root: files })
    return readTable(name, 'ldirectord', join(files, own.file))
  } catch (error) {
    if (error instanceof LvslabError && error.exitCode === 2) return undefined
    throw error
  }
}

const listed = (lines: string[], what: string): string[] =>
  lines.length <= MAX_LISTED ? lines : [...lines.slice(0, MAX_LISTED), `and ${lines.length - MAX_LISTED} ${what} more`]

const places = (addresses: VipAddress[]): string =>
  listed(
    addresses.map(({ address, prefix, device }) => `${address}/${prefix} dev ${device}`),
    'addresses',
  ).join(', ')

const vrrp = ({ name, addresses, excludedAddresses, virtualRouterId, priority }: VrrpInstance): string =>
  [`${name} ${places([...addresses, ...excludedAddresses])}`, `VRID ${virtualRouterId}`, `priority ${priority}`].join(
    ', ',
  )

const service = ({ name, scheduler, persistence, forwarding, realServers, sorryServer }: VirtualService): string => {
  // behind a firewall mark each port is its own
  const place = (address: string, port: number): string => (port === 0 ? address : endpoint(address, port))
  const servers = realServers.map(
    ({ address, port, weight }) => `${place(address, port)}${weight === 1 ? '' : ` weight ${weight}`}`,
  )
  const sorry = sorryServer ? `; sorry ${place(sorryServer.address, sorryServer.port)}` : ''
  const persistent = persistence === undefined ? '' : ` persistent ${persistence / 1000}`
  return `${name} ${scheduler}${persistent} ${forwarding} -> ${listed(servers, 'servers').join(', ')}${sorry}`
}
