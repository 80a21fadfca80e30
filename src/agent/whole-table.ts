import { setTimeout as sleep } from 'node:timers/promises'
import type { IpvsService } from '../history/event.ts'

/** Readings that may be torn, and how long after each the next one begins, ms of lab time. */
const [MOST, PAUSE_MS] = [5, 50]

/**
 * Reads a table again until it is whole, as far as the reading before tells. The kernel hands a large one out in pieces and goes on at
 * a place that it counts from the beginning of the services of all network namespaces (ip_vs_genl_dump_services, ip_vs_ctl.c): where
 * those of another director go between two pieces, as many of this one's are left out. A service that can still be asked for has
 * not gone; three of those that a reading lacks are asked for.
 *
 * @param stands whether the kernel has a service, as the table calls it
 * @returns what reads; undefined where there is no table to be read, or none was whole
 */
export const wholeTable = <T extends IpvsService[]>(
  read: () => Promise<T | undefined>,
  stands: (service: string) => Promise<boolean>,
): (() => Promise<T | undefined>) => {
  let known: string[] = []
  return async () => {
    for (let reading = 0; reading < MOST; reading++) {
      if (reading > 0) await sleep(PAUSE_MS)
      const table = await read()
      if (!table) return undefined
      const names = table.map(({ service }) => service)
      const has = new Set(names)
      const lacking = known.filter(service => !has.has(service))
      const standing = await Promise.all(someOf(lacking).map(service => stands(service)))
      if (standing.includes(true)) continue
      known = names
      return table
    }
    return undefined
  }
}

/** The first, the middle one and the last. */
const someOf = (all: string[]): string[] => [
  ...new Set([0, Math.floor(all.length / 2), all.length - 1].flatMap(n => all[n] ?? [])),
]

/** How ipvsadm is told of a service: `-t 10.0.0.100:80`; of a mark, which may be one of IPv4 or of IPv6, in both ways. */
export const serviceArguments = (service: string): string[][] => {
  const [kind = '', what = ''] = service.split(' ')
  if (kind === 'FWM')
    return [
      ['-f', what],
      ['-f', what, '-6'],
    ]
  return [[kind === 'TCP' ? '-t' : kind === 'UDP' ? '-u' : '--sctp-service', what]]
}
