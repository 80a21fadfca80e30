import { fromWallClock, now } from './clock.ts'
import { decodeFrame } from './frame.ts'
import { record } from './journal.ts'
import { watchProcess } from './namespace.ts'
import { PcapReader } from './pcap.ts'
import type { AgentNode } from './protocol.ts'

/** Labels for secrets: equal secrets get equal labels, and the secret itself goes nowhere. */
const labels = new Map<string, string>()
const labelOf = (secret: string): string => {
  const label = labels.get(secret) ?? `secret-${labels.size + 1}`
  labels.set(secret, label)
  return label
}

/**
 * Records the VRRP advertisements and gratuitous ARP (of IPv6: unsolicited neighbour advertisements) that a node sends. Watched where they leave, so that the sender is
 * certain and unicast advertisements are seen too.
 */
export const watchWire = (node: AgentNode, device: string, network: string): void => {
  // claims alone: a director of 1000 real servers asks who has their addresses 60 times a second, each a wake-up for nothing
  const claims = ['(arp and arp[14:4] == arp[24:4])', '(icmp6 and ip6[40] == 136 and ip6[44] & 0x40 == 0)']
  const adverts = ['ip proto 112', 'ip6 proto 112', '(ip proto 51 and ip[20] == 112)'] // with auth_type AH the last
  const filter = [...adverts, ...claims].join(' or ')
  const argv = [
    'tcpdump',
    '-i',
    device,
    '-Q',
    'out',
    '-n',
    '--immediate-mode',
    '-U',
    '-s',
    '256',
    '-Z',
    'root',
    '-w',
    '-',
    filter,
  ]
  const child = watchProcess(node, argv, ['--net'])
  const reader = new PcapReader((frame, wallMs) => {
    const decoded = decodeFrame(frame, labelOf)
    if (!decoded) return
    // a stamp of the kernel's own is exact; one that lies in the future only says that Date is whole milliseconds
    record({ ...decoded, t: Math.min(fromWallClock(wallMs), now()), network, node: node.name })
  })
  child.stdout?.on('data', (chunk: Buffer) => reader.push(chunk))
}
