import type { IpvsService } from '../history/event.ts'

/** So many of the services that a reading lacks are asked for by themselves. */
const ASKED = 3

/** Readings in a row that may be torn. */
const MOST = 5

/**
 * Reads a table until it is whole. The kernel hands a large one out in pieces and goes on at a place that it counts from the
 * beginning of the services of all network namespaces (ip_vs_genl_dump_services, ip_vs_ctl.c): where those of another director go
 * between two pieces, as many of this one's are left out. A service that can still be asked for has not gone.
 *
 * @param known services of the reading before, as the table calls them
 * @param stands whether the kernel has a service
 * @returns undefined where there is no table to be read; `torn` where none was whole
 */
export const wholeTable = async <T extends IpvsService[]>(
  read: () => Promise<T | undefined>,
  known: string[],
  stands: (service: string) => Promise<boolean>,
): Promise<T | undefined | 'torn'> => {
  for (let reading = 0; reading < MOST; reading++) {
    const table = await read()
    if (!table) return undefined
    const has = new Set(table.map(({ service }) => service))
    const lacking = known.filter(service => !has.has(service)).slice(0, ASKED)
    const standing = await Promise.all(lacking.map(stands))
    if (!standing.includes(true)) return table
  }
  return 'torn'
}

/** How ipvsadm is told of a service: `-t 10.0.0.100:80`. */
export const serviceArguments = (service: string): string[] => {
  const [kind = '', what = ''] = service.split(' ')
  return [({ TCP: '-t', UDP: '-u', SCTP: '--sctp-service', FWM: '-f' } as Record<string, string>)[kind] ?? kind, what]
}
