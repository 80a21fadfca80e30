import type { AdvertEvent, LabEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { eventsOf, type Holding, holdingsOf, type Window, within } from '../history/queries.ts'
import { inconclusive, inOrder } from './guard.ts'
import { schedulingOf } from './limit.ts'
import type { Verdict } from './verdict.ts'

export interface SilentBackupParams {
  vip: string
  /** Every director of the virtual router. */
  directors: string[]
  vrid: number
  /** Of the adverts; both where it is left out. */
  family?: 4 | 6
  network: string
  /** Name of the VRRP instance: its state in keepalived's log counts beside the VIP, as one follows the other. */
  instance?: string
  window?: Partial<Window>
  /** Scheduling of the lab's machine, ms; default 0. */
  slackMs?: number
}

/**
 * Adverts of a virtual router come only from its MASTER (RFC 5798, 6.4.2: a BACKUP must not send), the director that holds
 * the VIP or says so in its log. A handover may take one advert interval: a new MASTER sends before it adds the VIP. An
 * advert with priority 0 says goodbye, which only who was MASTER may do. Two MASTERs that cannot hear one another are both
 * MASTER, and judged as such.
 */
export const checkSilentBackup = (history: History, params: SilentBackupParams): Verdict => {
  const { vip, directors, vrid, family, network, instance, window } = params
  const slackMs = schedulingOf(history, params.slackMs ?? 0)
  const captured = eventsOf(history, 'advert').filter(
    advert =>
      advert.vrid === vrid &&
      advert.network === network &&
      (family === undefined || advert.source.includes(':') === (family === 6)) &&
      (!window || within(window, advert.t)),
  )
  if (captured.length === 0) return inconclusive(`No advert of VRID ${vrid} was captured on ${network}.`)
  const masters = [...holdingsOf(history, vip, directors), ...(instance === undefined ? [] : spans(history, instance))]
  if (masters.length === 0)
    return inconclusive(`No director was ever seen to hold the VIP ${vip}, so none is known to be MASTER.`)
  // a recording states what addresses there are at its beginning, which may be later than the first advert
  const since = Math.max(
    ...directors.map(node => eventsOf(history, 'address').find(event => event.node === node)?.t ?? 0),
  )
  const adverts = captured.filter(advert => advert.t >= since)
  if (adverts.length === 0)
    return inconclusive(
      `No advert of VRID ${vrid} was captured on ${network} after it was known who held what address.`,
    )

  const isMasters = ({ node, t, priority, interval }: AdvertEvent): boolean =>
    masters.some(
      master =>
        master.node === node &&
        t >= master.from - (priority === 0 ? 0 : interval) - slackMs &&
        t <= (master.until ?? Number.POSITIVE_INFINITY) + interval + slackMs,
    )
  const wrong = adverts.filter(advert => !isMasters(advert))
  const senders = [...new Set(adverts.map(senderOf))].sort()
  const measurements = [
    { name: 'adverts', value: adverts.length, unit: '' as const },
    { name: 'not of the MASTER', value: wrong.length, unit: '' as const },
  ]
  const [first] = wrong
  if (!first)
    return {
      outcome: 'PASS',
      reason: `All ${adverts.length} adverts of VRID ${vrid} came from its MASTER (${senders.join(', then ')}).`,
      measurements,
      proof: inOrder([adverts[0], adverts.at(-1)]),
    }
  const [master] = masters.filter(({ from, until = Number.POSITIVE_INFINITY }) => from <= first.t && until > first.t)
  const known = directors.includes(first.node ?? '')
  return {
    outcome: 'FAIL',
    reason:
      `${wrong.length} of ${adverts.length} adverts of VRID ${vrid} came from ` +
      `${[...new Set(wrong.map(senderOf))].join(' and ')}, ${known ? 'which was not MASTER' : 'no director of it'}; ` +
      `the first at ${(first.t / 1000).toFixed(3)} s with priority ${first.priority}` +
      `${master ? `, when ${master.node} was` : ''} (one advert interval allowed: ${first.interval} ms).`,
    measurements,
    proof: inOrder([lastOf(history, vip, first), first, wrong[1]]),
  }
}

const senderOf = (advert: AdvertEvent): string => advert.node ?? advert.source

/** When the log of each director had the instance in state MASTER. */
const spans = (history: History, instance: string): Holding[] => {
  const found: Holding[] = []
  for (const { node, t, transition } of eventsOf(history, 'keepalived')) {
    if (transition?.instance !== instance) continue
    const open = found.find(span => span.node === node && span.until === undefined)
    if (transition.state === 'MASTER') {
      if (!open) found.push({ node, from: t, until: undefined })
    } else if (open) open.until = t
  }
  return found
}

/** The last time that the VIP came to the sender, or left it. */
const lastOf = (history: History, vip: string, advert: AdvertEvent): LabEvent | undefined =>
  eventsOf(history, 'address').findLast(
    event => event.address === vip && event.node === advert.node && event.t <= advert.t,
  )
