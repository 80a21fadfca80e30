import { isIPv6 } from 'node:net'
import { canonical } from '../model/address.ts'
import { arpSysctl } from './arp.ts'
import { hint } from './did-you-mean.ts'
import { contains, formatSubnet, isReserved, overlaps, parseIpv4, parseSubnet } from './ipv4.ts'
import type { Subnet } from './ipv4.ts'
import { show } from './messages.ts'
import { OWN_PROCESSES } from './processes.ts'
import type { Path, YamlSource } from './source.ts'
import { ROLES } from './types.ts'

/**
 * What the values of a topology must be to one another. The data may still be of the wrong form in places: everything
 * is looked at that can be, so that one run reports every error, and what the schema has reported already is passed
 * over in silence.
 */
export const checkMeaning = (source: YamlSource): void => {
  const networks = checkNetworks(source)
  const nodes = entries(get(source.data, 'nodes'))
  if (nodes?.length === 0) source.report(['nodes'], 'a topology needs at least one node')
  const taken = new Map<string, { owner: string; path: Path }>()
  for (const [name, node] of nodes ?? []) {
    const path = ['nodes', name]
    if (RESERVED.has(name)) source.report(path, `node name "${name}" is reserved; choose another`, 'key')
    const subnets = [
      ...checkInterfaces(source, path, node, networks, taken),
      ...addressLists(node).flatMap(list => checkAddresses(source, path, list)),
    ]
    const own = ['interfaces', 'tunnels'].flatMap(key => (entries(get(node, key)) ?? []).map(([device]) => device))
    for (const [key] of entries(get(node, 'sysctls')) ?? []) checkSysctl(source, [...path, 'sysctls', key], key, own)
    for (const [word] of entries(get(node, 'arp')) ?? [])
      if (get(get(node, 'sysctls'), arpSysctl(word)) !== undefined)
        source.report([...path, 'arp', word], `${arpSysctl(word)} stands below sysctls as well`)
    const routes = get(node, 'routes')
    for (const [index, route] of Array.isArray(routes) ? routes.entries() : []) {
      if (typeof route === 'string') checkRoute(source, [...path, 'routes', index], route, own, subnets)
    }
    for (const key of ['packages', 'processes']) {
      const list = get(node, key)
      const names: unknown[] = Array.isArray(list) ? list : []
      for (const [index, its] of names.entries())
        if (names.indexOf(its) < index) source.report([...path, key, index], `${show(its)} stands here already`)
    }
    const role = ROLES.find(one => one === get(node, 'role'))
    const processes = get(node, 'processes')
    for (const [index, its] of Array.isArray(processes) ? processes.entries() : [])
      if (role && OWN_PROCESSES[role].includes(its))
        source.report([...path, 'processes', index], `${show(its)} is what a ${role} runs itself`)
  }
}

// The lab's own helper container, and the name that every node has for itself.
const RESERVED = new Set(['agent', 'localhost'])

// Interfaces that the kernel makes by itself in every namespace once the module is there.
const KERNEL_INTERFACES = ['all', 'default', 'lo', 'tunl0', 'gre0', 'gretap0', 'erspan0', 'sit0', 'ip6tnl0']

type Networks = Map<string, Subnet | undefined>

const get = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined

const entries = (value: unknown): [string, unknown][] | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined

const checkNetworks = (source: YamlSource): Networks => {
  const networks: Networks = new Map()
  const listed = entries(get(source.data, 'networks'))
  if (listed?.length === 0) source.report(['networks'], 'a topology needs at least one network')
  for (const [name, network] of listed ?? []) {
    const path = ['networks', name, 'subnet']
    const text = get(network, 'subnet')
    const written = typeof text === 'string' ? parseSubnet(text) : undefined
    // What lies in a subnet that cannot be is not judged by it.
    const subnet = written && checkSubnet(source, path, text as string, written) ? written : undefined
    for (const [other, its] of subnet ? networks : []) {
      if (its && subnet && overlaps(its, subnet)) {
        const where = `${formatSubnet(its)} of network ${other} (line ${source.line(['networks', other, 'subnet'])})`
        source.report(path, `subnet ${formatSubnet(subnet)} overlaps ${where}`)
      }
    }
    networks.set(name, subnet)
    const gateway = get(network, 'gateway')
    if (subnet && typeof gateway === 'string') {
      checkHost(source, ['networks', name, 'gateway'], 'gateway', gateway, name, subnet)
    }
  }
  return networks
}

/** Returns whether nodes can be in it; host bits set by mistake do not matter for that. */
const checkSubnet = (source: YamlSource, path: Path, text: string, subnet: Subnet): boolean => {
  const right = formatSubnet(subnet)
  if (subnet.prefix < 8 || subnet.prefix > 30) {
    source.report(path, `subnet ${text} must have a prefix of /8 to /30`)
    return false
  }
  if (isReserved(subnet.first)) {
    source.report(path, `subnet ${text} is loopback, multicast or reserved: no node can have an address in it`)
    return false
  }
  if (text !== right) source.report(path, `subnet ${text} has host bits set; did you mean "${right}"?`)
  return true
}

const checkHost = (
  source: YamlSource,
  path: Path,
  what: string,
  text: string,
  network: string,
  subnet: Subnet,
): void => {
  const value = parseIpv4(text)
  if (value === undefined) return
  const where = `network ${network} (${formatSubnet(subnet)})`
  if (!contains(subnet, value)) source.report(path, `${what} ${text} is outside ${where}`)
  else if (value === subnet.first) source.report(path, `${what} ${text} is the network address of ${where}`)
  else if (value === subnet.last) source.report(path, `${what} ${text} is the broadcast address of ${where}`)
}

/** Returns the subnets that the node is on; undefined among them where one could not be told. */
const checkInterfaces = (
  source: YamlSource,
  nodePath: Path,
  node: unknown,
  networks: Networks,
  taken: Map<string, { owner: string; path: Path }>,
): (Subnet | undefined)[] => {
  const interfaces = entries(get(node, 'interfaces'))
  if (interfaces?.length === 0) source.report([...nodePath, 'interfaces'], 'a node needs at least one interface')
  const joined = new Map<string, string>()
  const subnets: (Subnet | undefined)[] = interfaces?.length ? [] : [undefined]
  for (const [name, value] of interfaces ?? []) {
    const path = [...nodePath, 'interfaces', name]
    const network = get(value, 'network')
    const address = get(value, 'address')
    const subnet = typeof network === 'string' ? networks.get(network) : undefined
    subnets.push(subnet)
    if (typeof network === 'string') {
      const other = joined.get(network)
      if (!networks.has(network)) {
        const networkHint = hint(network, [...networks.keys()], 'networks')
        source.report([...path, 'network'], `network ${show(network)} does not exist${networkHint}`)
      } else if (other) {
        source.report([...path, 'network'], `${other} is on network ${network} already: one interface per network`)
      }
      joined.set(network, name)
    }
    if (typeof address !== 'string' || parseIpv4(address) === undefined) continue
    if (subnet) checkHost(source, [...path, 'address'], 'address', address, String(network), subnet)
    const holder = taken.get(address)
    if (holder) {
      const line = source.line(holder.path)
      source.report([...path, 'address'], `address ${address} is taken by ${holder.owner} (line ${line})`)
    } else taken.set(address, { owner: `${String(nodePath.at(-1))} ${name}`, path: [...path, 'address'] })
  }
  return subnets
}

/** A list of addresses with prefix: the device that they are put on, and the way to the list from the node. */
interface AddressList {
  device: string
  path: Path
  addresses: unknown[]
}

const addressLists = (node: unknown): AddressList[] => {
  const lists: [string, Path, unknown][] = [
    ...(entries(get(node, 'interfaces')) ?? []).map(([device, its]): [string, Path, unknown] => [
      device,
      ['interfaces', device, 'addresses'],
      get(its, 'addresses'),
    ]),
    ['lo', ['loopback'], get(node, 'loopback')],
    ...(entries(get(node, 'tunnels')) ?? []).map(([device, its]): [string, Path, unknown] => [
      device,
      ['tunnels', device],
      its,
    ]),
  ]
  return lists.flatMap(([device, path, addresses]) => (Array.isArray(addresses) ? [{ device, path, addresses }] : []))
}

/**
 * Any node may have any address: a VIP is meant to be in several places. Returns the subnets that are on the link by
 * these addresses; those on lo are on no link.
 */
const checkAddresses = (source: YamlSource, nodePath: Path, { device, path, addresses }: AddressList): Subnet[] => {
  const subnets: Subnet[] = []
  for (const [index, text] of addresses.entries()) {
    if (typeof text !== 'string') continue
    const at = [...nodePath, ...path, index]
    const [address = '', length] = text.split('/')
    if (isIPv6(address)) {
      const right = `${canonical(address)}/${length}`
      if (text !== right) source.report(at, `write ${text} as everybody does: "${right}"`)
      else if (addresses.indexOf(text) < index) source.report(at, `${text} is on ${device} already`)
      continue
    }
    const subnet = parseSubnet(text)
    if (!subnet) continue
    const value = parseIpv4(text.replace(/\/.*/, ''))
    if (subnet.prefix < 31 && value === subnet.first) source.report(at, `${text} is a network's address, not a host's`)
    else if (subnet.prefix < 31 && value === subnet.last) source.report(at, `${text} is a broadcast address`)
    else if (addresses.indexOf(text) < index) source.report(at, `${text} is on ${device} already`)
    if (device !== 'lo') subnets.push(subnet)
  }
  return subnets
}

const checkSysctl = (source: YamlSource, path: Path, name: string, own: string[]): void => {
  const match = /^net\.ipv[46]\.(?:conf|neigh)\.([^.]+)\./.exec(name)
  const device = match?.[1]?.replaceAll('/', '.')
  if (device === undefined || own.includes(device) || KERNEL_INTERFACES.includes(device)) return
  source.report(path, `sysctl "${name}" names no interface of the node${hint(device, own, 'interfaces')}`, 'key')
}

const ROUTE_WORDS = ['via', 'dev', 'src', 'metric', 'mtu', 'table', 'scope']

/** By way of IPv6: what `ip` does not take, it says when the node starts. */
const checkRoute6 = (destination: string, { via, dev }: { via?: string; dev?: string }): string | undefined => {
  const [address = '', length = '128', ...rest] = destination.split('/')
  const right = isIPv6(address) && /^\d{1,3}$/.test(length) && Number(length) <= 128 && rest.length === 0
  if (destination !== 'default' && !right)
    return 'must be DESTINATION via GATEWAY [dev INTERFACE], e.g. fd00:9::/64 via fd00::1'
  if (via !== undefined && !isIPv6(via)) return `gateway "${via}" is not an IPv6 address`
  if (via?.startsWith('fe80:') && dev === undefined) return `gateway ${via} is on every link: it needs "dev INTERFACE"`
  return undefined
}

const checkRoute = (
  source: YamlSource,
  path: Path,
  text: string,
  own: string[],
  subnets: (Subnet | undefined)[],
): void => {
  const complain = (message: string) => source.report(path, `route ${show(text)}: ${message}`)
  const [destination = '', ...words] = text.trim().split(/\s+/)
  const ipv6 = [destination, words[words.indexOf('via') + 1] ?? ''].some(word => word.includes(':'))
  const subnet = parseSubnet(destination.includes('/') ? destination : `${destination}/32`)
  if (!ipv6 && destination !== 'default' && !subnet) {
    return complain('must be DESTINATION via GATEWAY [dev INTERFACE], e.g. 10.9.0.0/16 via 10.0.0.1')
  }
  if (subnet && destination.includes('/') && destination !== formatSubnet(subnet)) {
    return complain(`host bits set in the destination; did you mean "${formatSubnet(subnet)}"?`)
  }
  const options = new Map<string, string>()
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string
    if (word === 'onlink') options.set(word, '')
    else if (!ROUTE_WORDS.includes(word)) return complain(`unknown word "${word}"${hint(word, ROUTE_WORDS, 'words')}`)
    else if (!/^[\w.:/-]+$/.test(words[++index] ?? '')) return complain(`"${word}" needs a value after it`)
    else options.set(word, words[index] as string)
  }
  const { via, dev } = Object.fromEntries(options)
  if (via === undefined && dev === undefined) return complain('needs "via GATEWAY" or "dev INTERFACE"')
  if (dev !== undefined && dev !== 'lo' && !own.includes(dev)) {
    return complain(`the node has no interface "${dev}"${hint(dev, own, 'interfaces')}`)
  }
  if (ipv6) {
    const wrong = checkRoute6(destination, Object.fromEntries(options))
    return wrong === undefined ? undefined : complain(wrong)
  }
  const gateway = via === undefined ? undefined : parseIpv4(via)
  if (via !== undefined && gateway === undefined) return complain(`gateway "${via}" is not an IPv4 address`)
  if (gateway === undefined || options.has('onlink') || subnets.includes(undefined)) return
  if (!subnets.some(its => its && contains(its, gateway))) complain(`gateway ${via} is on none of the node's networks`)
}
