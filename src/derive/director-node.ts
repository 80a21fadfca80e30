import type { DirectorConfig } from '../model/types.ts'
import { formatSubnet } from '../topology/ipv4.ts'
import { type DraftNode, emptyNode } from './draft.ts'
import { tunnelsOf } from './links.ts'
import { free, type Wire, wireOf, withPrefix } from './wires.ts'

/**
 * A director, and what its configuration leaves open.
 *
 * @param bound the addresses that its checks ask from
 */
export const directorNode = (
  config: DirectorConfig,
  bound: string[],
  wires: Wire[],
): { node: DraftNode; questions: string[] } => {
  const node = emptyNode(config.node, 'director')
  const questions: string[] = []
  for (const wire of wires) {
    const device = wire.devices.find(one => one.director === config.node)
    const name = device?.name ?? unusedDevice(node, wires, config.node)
    const own = bound.filter(address => wireOf([wire], address))
    const address = device?.own ?? own[0] ?? free(wire, 201)
    const addresses = own.filter(one => one !== address).map(one => withPrefix(one, wire))
    wire.directors.set(config.node, address)
    const because =
      device === undefined
        ? `nothing says by which interface ${config.node} reaches ${formatSubnet(wire.subnet)}`
        : device.own === undefined
          ? device.statics.length > 0
            ? 'the address is free: that of static_ipaddress is put there by keepalived'
            : 'the address is free, the configuration has none'
          : undefined
    if (device === undefined) questions.push(`${config.node}: ${because}; ${name} is taken`)
    else if (
      device.own === undefined &&
      config.instances.some(one => one.interface === name && one.unicastPeers.length)
    )
      questions.push(
        `${config.node}: which address of ${name} the others speak to is not written (unicast_src_ip); ${address} is taken`,
      )
    node.interfaces.push({
      ...{ name, network: wire.name, address },
      ...(addresses.length > 0 && { addresses }),
      ...(because === undefined ? {} : { because }),
    })
  }
  const tunnels = tunnelsOf(config)
  if (tunnels.length > 0) node.bareTunnels = tunnels
  const nat = config.services.some(({ realServers }) => realServers.some(server => server.forwarding === 'NAT'))
  if (nat) node.sysctls['net.ipv4.ip_forward'] = 1
  // a datagram would be answered from another address than the VIP, which is not there yet when its program starts
  const local = config.services.flatMap(({ sorryServer, protocol }) =>
    protocol !== 'UDP' && sorryServer && (sorryServer.address.startsWith('127.') || sorryServer.address === '::1')
      ? [sorryServer]
      : [],
  )
  if (local.length > 0) {
    // how a probe tells who said sorry
    node.files['/var/www/html/index.html'] = `${config.node} sorry\n`
    const listens = local
      .filter(({ port }) => port !== 80 && port !== 0)
      .map(({ address, port }) => (address === '::1' ? `[::1]:${port}` : `${port}`))
    if (listens.length > 0)
      node.files['/etc/nginx/conf.d/sorry.conf'] = [...new Set(listens)]
        .map(listen => `server { listen ${listen}; root /var/www/html; }\n`)
        .join('')
  }
  return { node, questions }
}

const unusedDevice = (node: DraftNode, wires: Wire[], director: string): string => {
  const used = [
    ...node.interfaces.map(its => its.name),
    ...wires.flatMap(w => w.devices).flatMap(d => (d.director === director ? [d.name] : [])),
  ]
  for (let n = 0; ; n++) if (!used.includes(`eth${n}`)) return `eth${n}`
}
