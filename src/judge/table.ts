import type { IpvsDestination, IpvsService } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { tablesOf } from '../history/queries.ts'
import { inconclusive } from './guard.ts'
import type { Verdict } from './verdict.ts'

/** A service as a configuration has it. */
export interface ExpectedService extends Omit<IpvsService, 'destinations'> {
  /** Without a weight where a check sets it. */
  destinations: (Pick<IpvsDestination, 'address' | 'port' | 'forwarding'> & { weight?: number })[]
}

export interface TableParams {
  director: string
  /** Whose configuration it is to have, where that is another's. */
  of?: string
  services: ExpectedService[]
}

/**
 * The last IPVS table of a director has every service of its configuration: scheduler, whether it is persistent, each real
 * server with its forwarding method and weight. What else is in the table is not judged.
 */
export const checkTable = (history: History, { director, of, services }: TableParams): Verdict => {
  const table = tablesOf(history, director).at(-1)
  if (!table) return inconclusive(`No IPVS table of ${director} was recorded.`)
  const whose = of === undefined ? 'its' : `${of}'s`
  const wrong = services.flatMap(one => differences(one, table.services))
  const count = services.reduce((total, one) => total + one.destinations.length, 0)
  const all = `${plural(services.length, 'service')} and ${plural(count, 'real server')}`
  return {
    outcome: wrong.length > 0 ? 'FAIL' : 'PASS',
    reason:
      wrong.length > 0
        ? `The IPVS table of ${director} is not what ${whose} configuration says: ${wrong.slice(0, MOST).join('; ')}${
            wrong.length > MOST ? `; and ${wrong.length - MOST} more` : ''
          }.`
        : `The IPVS table of ${director} has all of ${whose} configuration: ${all}.`,
    measurements: [],
    proof: [table],
  }
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** Differences that are told. */
const MOST = 5

const differences = (expected: ExpectedService, services: IpvsService[]): string[] => {
  const { service, scheduler, persistent, destinations } = expected
  const found = services.find(one => one.service === service)
  if (!found) return [`${service} is not there`]
  const wrong: string[] = []
  if (found.scheduler !== scheduler) wrong.push(`${service} has scheduler ${found.scheduler}, not ${scheduler}`)
  if (found.persistent !== persistent) wrong.push(`${service} is ${persistent ? 'not ' : ''}persistent`)
  for (const one of destinations) {
    const key = `${one.address}:${one.port}`
    const its = found.destinations.find(other => other.address === one.address && other.port === one.port)
    if (!its) wrong.push(`${service} has no ${key}`)
    else {
      // the kernel's word for a server that is the director itself, whatever it was told
      if (its.forwarding !== one.forwarding && its.forwarding !== 'Local')
        wrong.push(`${key} of ${service} is ${its.forwarding}, not ${one.forwarding}`)
      if (one.weight !== undefined && its.weight !== one.weight)
        wrong.push(`${key} of ${service} has weight ${its.weight}, not ${one.weight}`)
    }
  }
  return wrong
}
