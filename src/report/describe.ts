import type { EventKind, EventOf, IpvsService, LabEvent } from '../history/event.ts'
import { endpoint } from '../model/endpoint.ts'
import { formatDuration } from './measurement.ts'

/** Most real servers of a table that one line lists. */
const MAX_LISTED = 8

/** An IPVS table as `ipvsadm -Ln` prints it, without its two lines of version. */
export const formatIpvs = (services: readonly IpvsService[]): string => {
  const lines = [
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn',
  ]
  for (const { service, scheduler, persistent, destinations } of services) {
    const [protocol = '', ...rest] = service.split(' ')
    lines.push(`${protocol.padEnd(4)} ${rest.join(' ').trim()} ${scheduler}${persistent ? ' persistent' : ''}`)
    for (const { address, port, forwarding, weight, active, inactive } of destinations) {
      const row = [
        endpoint(address, port).padEnd(28),
        forwarding.padEnd(7),
        `${weight}`.padEnd(6),
        `${active}`.padEnd(10),
        inactive,
      ]
      lines.push(`  -> ${row.join(' ')}`)
    }
  }
  return lines.join('\n')
}

const requestEnd = ({ outcome, server, status, t, done }: EventOf<'request'>): string => {
  const after = `after ${formatDuration(done - t)}`
  if (outcome !== 'answered') return `${outcome} ${after}`
  return `answered by ${server ?? 'an unnamed server'}${status === undefined ? '' : `, HTTP ${status}`}, ${after}`
}

const DESCRIPTIONS: { [K in EventKind]: (event: EventOf<K>) => string } = {
  request: event => {
    const port = event.sourcePort === undefined ? '' : `:${event.sourcePort}`
    const detail = event.outcome === 'answered' || !event.detail ? '' : ` (${event.detail})`
    const path = `${event.source}${port} -> ${event.target}`
    return `request #${event.n} of ${event.probe}: ${path}: ${requestEnd(event)}${detail}`
  },
  connection: ({ probe, n, source, sourcePort, target, change, exchanges, outcome }) =>
    `connection #${n} of ${probe}: ${source}:${sourcePort} -> ${target}: ${change}` +
    `${outcome ? ` (${outcome})` : ''} after ${exchanges} exchanges`,
  packet: ({ node, device, protocol, source, sourcePort, destination, destinationPort, flags, length }) => {
    const [from, to] = [sourcePort, destinationPort].map(port => (port === undefined ? '' : `:${port}`))
    const what = flags === undefined ? protocol : `${protocol} [${flags}]`
    return `${what} ${source}${from} > ${destination}${to}, ${length} bytes, on ${node} ${device}`
  },
  probe: ({ phase, probe, client, target, rate, sent, late, lateAfterMs }) => {
    if (phase === 'start') return `probe ${probe} starts on ${client}: ${rate} requests/s to ${target}`
    const starved = late ? `, ${late} of them more than ${formatDuration(lateAfterMs ?? 0)} late` : ''
    return `probe ${probe} stops on ${client}${sent === undefined ? '' : ` after ${sent} requests`}${starved}`
  },
  fault: ({ phase, fault, node, t, done, detail }) =>
    `${phase} ${fault} on ${node}, took effect within ${formatDuration(done - t)}${detail ? ` (${detail})` : ''}`,
  advert: ({ source, node, destination, version, vrid, priority, interval }) => {
    const farewell = priority === 0 ? ' (leaves)' : ''
    const sender = node ? `${node} (${source})` : source
    const content = `vrid ${vrid}, priority ${priority}${farewell}, interval ${formatDuration(interval)}`
    return `VRRPv${version} advert ${sender} -> ${destination}: ${content}`
  },
  garp: ({ address, mac, node, network }) =>
    `${address.includes(':') ? 'unsolicited neighbour advertisement' : 'gratuitous ARP'} on ${network}: ${address} is at ${mac}${node ? ` (${node})` : ''}`,
  address: ({ change, node, device, address, prefix }) =>
    `${address}/${prefix} ${change === 'add' ? 'added to' : 'removed from'} ${device} on ${node}`,
  keepalived: ({ node, line }) => `keepalived on ${node}: ${line}`,
  log: ({ node, file, line }) => `${file} on ${node}: ${line}`,
  ipvs: ({ node, reason, services }) => {
    const count = services.reduce((sum, { destinations }) => sum + destinations.length, 0)
    const list = services.map(({ service, destinations }) => {
      const members = destinations.map(({ address, port, weight }) => `${endpoint(address, port)} weight ${weight}`)
      return `${service} -> ${members.join(', ') || 'nobody'}`
    })
    const table = count > MAX_LISTED ? `${services.length} services, ${count} real servers` : list.join('; ') || 'empty'
    return `IPVS table of ${node} (${reason}): ${table}`
  },
  command: ({ node, command, code, output }) =>
    `\`${command}\` on ${node} ended with ${code}${output.trim() ? `: ${output.trim().split('\n').at(-1)}` : ''}`,
  machine: ({ processor, clock }) =>
    `the lab runs on ${processor === 'emulated' ? 'an emulated processor' : "the host's own processor"}, on the ${clock} clock`,
  mark: ({ label }) => label,
  trouble: ({ node, what }) => `trouble${node ? ` on ${node}` : ''}: ${what}`,
}

/** One line that says what an event was, without its time. */
export const describeEvent = <K extends EventKind>(event: EventOf<K> & LabEvent): string =>
  DESCRIPTIONS[event.kind](event)
