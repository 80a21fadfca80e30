import { fromWallClock, now } from './clock.ts'
import { record } from './journal.ts'
import { runInNode, watchLines } from './namespace.ts'
import { listening } from './netlink.ts'
import type { AgentNode } from './protocol.ts'

interface Held {
  device: string
  address: string
  prefix: number
}

const held = new Map<string, Map<string, Held>>()

/** An address, and when the kernel told of it (ms of the wall clock). */
type Told = Held & { change: 'add' | 'remove'; wallMs?: number }

/**
 * `2: eth0    inet 10.0.0.100/24 scope global ...`, with `Deleted ` before it when the address goes, and before all that
 * `[2026-11-20T14:55:50.123456] ` of a monitor that stamps.
 */
export const parseAddressLine = (line: string): Told | undefined => {
  const [, time, fraction, deleted, device, address, prefix] =
    /^(?:\[([\dT:-]+)(\.\d+)\] )?(Deleted )?\d+: (\S+?)(?:@\S+)?\s+inet6? ([0-9a-f.:]+)\/(\d+)/.exec(line) ?? []
  if (!device || !address || !prefix) return undefined
  const stamp = time && { wallMs: Date.parse(`${time}Z`) + Number(fraction) * 1000 }
  return { change: deleted ? 'remove' : 'add', device, address, prefix: Number(prefix), ...stamp }
}

/** Follows a node's addresses from now on. */
export const watchAddresses = async (node: AgentNode): Promise<void> => {
  const own = new Map<string, Held>()
  held.set(node.name, own)
  const take = (line: string): void => {
    const parsed = parseAddressLine(line)
    if (!parsed) return
    const { change, wallMs, ...address } = parsed
    const key = `${address.address}/${address.prefix} ${address.device}`
    // `ip monitor` repeats an address whose lifetime or flags change
    if (change === 'add' ? own.has(key) : !own.delete(key)) return
    if (change === 'add') own.set(key, address)
    const t = wallMs === undefined ? now() : Math.min(fromWallClock(wallMs), now())
    record({ kind: 'address', t, change, node: node.name, ...address })
  }
  // an address that came after it was asked who is there, and before anybody listened, would never be seen
  await listening(watchLines(node, ['ip', '-o', '-ts', 'monitor', 'address'], ['--net'], take))
  const present = await runInNode(node, ['ip', '-o', 'address'], 10_000)
  for (const line of present.stdout.split('\n')) take(line)
}

/** States every address that the watched nodes hold. */
export const snapshotAddresses = (): void => {
  for (const [node, addresses] of held)
    for (const address of addresses.values()) record({ kind: 'address', t: now(), change: 'add', node, ...address })
}

/** States that a node, which is no more, holds nothing. */
export const forgetAddresses = (node: AgentNode): void => {
  const lost = [...(held.get(node.name)?.values() ?? [])]
  held.delete(node.name)
  for (const address of lost) record({ kind: 'address', t: now(), change: 'remove', node: node.name, ...address })
}

/** Whether a node holds an address. */
export const holds = (node: string, address: string): boolean =>
  [...(held.get(node)?.values() ?? [])].some(h => h.address === address)
