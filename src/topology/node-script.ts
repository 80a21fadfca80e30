import { LvslabError } from '../errors.ts'
import { quote } from '../shell.ts'
import { procRouteHex } from './ipv4.ts'
import { speaksIpv6 } from './ipv6.ts'
import type { Node, Topology } from './types.ts'

/**
 * The script that makes a container's network what the topology says: POSIX sh, run once as root at every start of
 * the container, before its services.
 *
 * A started process costs about 10 ms on an emulated machine, so the shell does by itself what it can (it reads
 * /proc/net/route and writes /proc/sys), and all that is left for `ip` goes through one `ip -batch`. A node with one
 * interface of the right name and nothing to add starts no process at all.
 *
 * @param topology the topology that the node is part of
 * @param node the node whose container runs it
 * @throws {LvslabError} TOPOLOGY_INVALID, exit code 2: a value that is no single word; a checked topology has none
 */
export const nodeScript = (topology: Topology, node: Node): string => {
  const sections = [
    head(topology, node),
    interfaceSection(node),
    tunnelSection(node),
    ipv6Section(node),
    sysctlSection(node),
    defaultRouteSection(topology, node),
    metricSection(topology, node),
    addressSection(node),
    TAIL,
    processSection(node),
  ]
  return sections.filter(section => section !== '').join('\n')
}

/** A value that is one plain word for sh and for `ip -batch` alike. */
const word = (value: string): string => {
  if (/^[A-Za-z0-9_.:/-]+$/.test(value)) return value
  throw new LvslabError('TOPOLOGY_INVALID', `not a word that ip(8) takes: ${JSON.stringify(value)}`, { exitCode: 2 })
}

const words = (value: string): string => value.trim().split(/\s+/).map(word).join(' ')

const head = (topology: Topology, node: Node): string => `#!/bin/sh
# Node ${word(node.name)} of topology ${word(topology.name)}: its interface names, sysctls, addresses and routes.
set -eu

fail() {
  echo "node.sh: $*" >&2
  exit 1
}

# What ip(8) has to do, one command per line.
todo=
later() {
  todo="$todo$*
"
}
`

const TAIL = `if [ -n "$todo" ]; then
  printf %s "$todo" | ip -batch - || fail 'ip failed; commands were:' "$todo"
fi
`

/**
 * The engine numbers interfaces in an order of its own, which may change at a restart. With more than one, each is
 * known by its address; a single one can only be misnamed where the name that it should have is missing.
 */
const interfaceSection = (node: Node): string => {
  const { interfaces } = node
  const find = interfaces.map(({ address }, n) => `      ${word(address)}) have${n}=\${dev%%@*} ;;`)
  const rename = interfaces.map(({ name, network, address }, n) => {
    const missing = `no interface holds ${word(address)} of network ${word(network)}`
    return `  [ -n "$have${n}" ] || fail '${missing}'\n  rename "$have${n}" lvslab${n} ${word(name)}`
  })
  const [only, ...others] = interfaces
  const condition = only && others.length === 0 ? `[ -e ${quote(`/sys/class/net/${word(only.name)}`)} ] || ` : ''
  return `# Renames by way of names that nobody has, since two interfaces may have to swap theirs. Only an interface that is
# down can be renamed (before Linux 6.2): its addresses stay, its routes go.
away= back=
rename() {
  [ "$1" != "$3" ] || return 0
  away="\${away}link set $1 down
link set $1 name $2
"
  back="\${back}link set $2 name $3
"
  later link set "$3" up
}

name_interfaces() {
  ${interfaces.map((_, n) => `have${n}=`).join(' ')}
  while read -r _ dev _ address _; do
    [ "$dev" != lo ] || continue
    case \${address%/*} in
${find.join('\n')}
    esac
  done <<END
$(ip -o -4 addr show)
END
${rename.join('\n')}
  [ -n "$away" ] || return 0
  printf %s "$away" | ip -batch - || fail 'renaming failed'
  printf %s "$back" | ip -batch - || fail 'renaming failed'
}
${condition}name_interfaces
`
}

/**
 * The kernel makes these in every network namespace once their module is there, and it loads the module when somebody asks for a
 * device of its kind (net/core/rtnetlink.c `rtnl_newlink`); before the sysctls, which name them.
 */
const tunnelSection = (node: Node): string =>
  node.tunnels
    .map(({ name }) => {
      const device = word(name)
      const { kind, module } = TUNNELS[device] ?? { kind: device, module: device }
      const complaint = `the kernel has made no ${device}: the module ${module} is not loaded`
      // what is asked for is there already when its module is: that it exists, is no failure
      const ask = `ip link add name ${device} type ${kind} 2>/dev/null || [ -e /sys/class/net/${device} ]`
      return `[ -e /sys/class/net/${device} ] || ${ask} || fail ${quote(complaint)}\n`
    })
    .join('')

const TUNNELS: Record<string, { kind: string; module: string }> = {
  tunl0: { kind: 'ipip', module: 'ipip' },
  ip6tnl0: { kind: 'ip6tnl', module: 'ip6_tunnel' },
}

/**
 * The engine turns IPv6 off where its networks have none. Nobody else has a node's addresses, so that they need not be looked
 * for first (duplicate address detection): an address would be of no use for 1 to 2 s.
 */
const ipv6Section = (node: Node): string => {
  if (!speaksIpv6(node)) return ''
  const devices = ['all', 'default', 'lo', ...node.interfaces.map(({ name }) => word(name))]
  return `for setting in accept_dad disable_ipv6; do
  for device in ${devices.join(' ')}; do
    echo 0 >"/proc/sys/net/ipv6/conf/$device/$setting" || fail "IPv6 cannot be turned on: $device/$setting"
  done
done
`
}

/**
 * Before the addresses: a VIP on lo without arp_ignore in force would answer ARP for a moment. An engine's containers forward, a
 * host does not unless it is told to: a NAT director that nobody told would work in the lab alone.
 */
const sysctlSection = (node: Node): string => {
  const sysctls = { 'net.ipv4.ip_forward': node.role === 'router' ? '1' : '0', ...node.sysctls }
  const lines = Object.entries(sysctls).map(([name, value]) => {
    const path = name.replace(/[./]/g, separator => (separator === '.' ? '/' : '.'))
    const complaint = quote(`sysctl ${name} does not take ${value}`)
    return `printf '%s\\n' ${quote(value)} >${quote(`/proc/sys/${path}`)} || fail ${complaint}\n`
  })
  return lines.join('')
}

/** What only has to be there under its name: the kernel has it from the path that is executed. */
const processSection = ({ processes = [] }: Node): string => {
  if (processes.length === 0) return ''
  return `mkdir -p ${STAND_INS}
for name in ${processes.map(word).join(' ')}; do
  ln -sf /usr/bin/sleep ${STAND_INS}/"$name"
  setsid ${STAND_INS}/"$name" infinity </dev/null >/dev/null 2>&1 &
done
`
}

const STAND_INS = '/run/lvslab/processes'

/** The engine gives a default route of its own choice; the topology decides which one there is, and whether. */
const defaultRouteSection = (topology: Topology, node: Node): string => {
  // A route that the user wrote replaces it below.
  if (node.routes.some(route => /^(default|0\.0\.0\.0\/0)(\s|$)/.test(route.trim()))) return ''
  const exit = node.interfaces
    .map(({ name, network, address }) => {
      const gateway = topology.networks.find(its => its.name === network)?.gateway
      // The gateway itself has no way out by way of itself.
      return gateway === undefined || gateway === address ? undefined : { name, gateway }
    })
    .find(found => found !== undefined)
  const wanted = exit ? `"${word(exit.name)} ${procRouteHex(exit.gateway)}"` : undefined
  const drop = `[ "$dest$mask" = 0000000000000000 ] || continue`
  const read = `while read -r dev dest gateway _ _ _ _ mask _; do\n  ${drop}\n`
  if (wanted === undefined || exit === undefined) return `${read}  later route del default\ndone </proc/net/route\n`
  return `right= wrong=
${read}  if [ "$dev $gateway" = ${wanted} ]; then right=1; else wrong="$wrong x"; fi
done </proc/net/route
if [ -z "$right" ] || [ -n "$wrong" ]; then
  for _ in $right $wrong; do later route del default; done
  later route add default via ${word(exit.gateway)} dev ${word(exit.name)}
fi
`
}

/** The kernel puts the metric that an address has on the route to its network, and changes it with the address. */
const metricSection = ({ networks }: Topology, node: Node): string => {
  const lines = node.interfaces.flatMap(({ name, network, address, metric }) => {
    const prefix = networks.find(its => its.name === network)?.subnet.split('/')[1]
    if (metric === undefined || prefix === undefined) return []
    return `later addr replace ${word(`${address}/${prefix}`)} dev ${word(name)} metric ${metric}\n`
  })
  return lines.join('')
}

const addressSection = (node: Node): string => {
  const put = (device: string, addresses: string[]): string[] =>
    addresses.map(address => `later addr replace ${word(address)} dev ${word(device)}\n`)
  const further = node.interfaces.flatMap(({ name, addresses }) => put(name, addresses))
  const loopback = put('lo', node.loopback)
  const tunnels = node.tunnels.flatMap(({ name, addresses }) => [
    `later link set ${word(name)} up\n`,
    ...put(name, addresses),
  ])
  const routes = node.routes.map(route => `later route replace ${words(route)}\n`)
  return [...further, ...loopback, ...tunnels, ...routes].join('')
}
