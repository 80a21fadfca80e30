import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** NETLINK_ROUTE (include/uapi/linux/netlink.h) */
const ROUTE = '0'

/**
 * Whether a process listens to any group of rtnetlink, by what /proc/net/netlink of its network namespace says
 * (net/netlink/af_netlink.c, netlink_native_seq_show): socket, protocol, port ID, groups. The port ID is the process's ID.
 */
export const listensTo = (table: string, pid: number): boolean =>
  table.split('\n').some(line => {
    const [, protocol, port, groups = ''] = line.trim().split(/\s+/)
    return protocol === ROUTE && port === String(pid) && Number.parseInt(groups, 16) !== 0
  })

/** How often it is looked, ms: by then a process has not even started on a busy emulated machine. */
const LOOK_MS = 5

/** Waits until a process that follows rtnetlink hears of every change from now on, or until it has ended. */
export const listening = async (child: ChildProcess): Promise<void> => {
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const table = await readFile(`/proc/${child.pid}/net/netlink`, 'utf8').catch(() => '')
    if (listensTo(table, child.pid)) return
    await sleep(LOOK_MS)
  }
}
