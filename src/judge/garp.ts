import type { AddressEvent, GratuitousArpEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { endOf, eventsOf, type Holding, holdingsOf, type Window, within } from '../history/queries.ts'
import { seconds } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { inconclusive, inOrder } from './guard.ts'
import { allowed, duration, schedulingOf } from './limit.ts'
import type { Verdict } from './verdict.ts'

export interface GarpParams {
  vip: string
  /** Every director that could hold the VIP. */
  directors: string[]
  /** `garp_master_repeat`: so many at least; default 5. */
  count?: number
  /** From the VIP's arrival to the last of them; default 1 s. */
  bound?: Bound
  /** Asks for as many again, `garp_master_delay` (ms) after the arrival; 0 is for configurations that send none. */
  againAfterMs?: number
  /** Judges arrivals in this stretch; without it all but the first, which the recording may have begun after. */
  window?: Partial<Window>
  /** Scheduling of the lab's machine, ms; default 0. */
  slackMs?: number
}

/** keepalived sends them one after the other, without a pause (vrrp_arp.c, `garp_interval` 0). */
export const AT_ONCE: Bound = {
  name: 'gratuitous ARP',
  formula: '1 s',
  maxMs: 1000,
  source: 'keepalived vrrp/vrrp_arp.c',
}

/**
 * The kernel stamps a packet, but the address that it follows is stamped by who reads of it: measured up to 36 ms later on an
 * emulated engine, so that the packets seem to come first.
 */
const STAMPED_LATE_MS = 100

/** What claims an address unasked. */
export const claims = (address: string): string =>
  address.includes(':') ? 'unsolicited neighbour advertisements' : 'gratuitous ARP'

/**
 * After each arrival of the VIP on a director, that director sends gratuitous ARP for it (of IPv6: unsolicited neighbour
 * advertisements, vrrp_ndisc.c): enough, and soon enough, and once more after `garp_master_delay` where asked. A director that loses the VIP before it had to send is not judged.
 */
export const checkGarp = (history: History, params: GarpParams): Verdict => {
  const { vip, directors, count = 5, bound = AT_ONCE, againAfterMs = 0, window } = params
  const slackMs = schedulingOf(history, params.slackMs ?? 0)
  const holdings = holdingsOf(history, vip, directors)
  const arrivals = window ? holdings.filter(({ from }) => within(window, from)) : holdings.slice(1)
  if (arrivals.length === 0) return inconclusive(`The VIP ${vip} was not seen to come to a director.`)
  const garps = eventsOf(history, 'garp').filter(garp => garp.address === vip)
  if (garps.length === 0 && eventsOf(history, 'advert').length === 0)
    return inconclusive(`Nothing was captured on the wire, neither ${claims(vip)} nor adverts.`)

  const bursts = arrivals.flatMap(arrival =>
    (againAfterMs > 0 ? [0, againAfterMs] : [0]).map(delay => {
      const due = arrival.from + delay
      const early = STAMPED_LATE_MS + slackMs
      const until = due + bound.maxMs + slackMs
      // what belongs to the second does not count for the first
      const before = delay < againAfterMs ? due + againAfterMs - early : Infinity
      const sent = garps.filter(({ node, t }) => node === arrival.node && t >= due - early && t <= until && t < before)
      return { arrival, delay, sent, until }
    }),
  )
  const due = bursts.filter(({ arrival, until }) => arrival.until === undefined || arrival.until >= until)
  const missing = due.filter(({ sent }) => sent.length < count)
  const end = endOf(history)
  const failed = missing.filter(({ until }) => until <= end)
  const fewest = due.toSorted((a, b) => a.sent.length - b.sent.length)[0]
  const measurements = fewest
    ? [
        { name: `${claims(vip)} after an arrival`, value: fewest.sent.length, unit: '' as const },
        duration('last of them', lastOf(due, count), bound),
      ]
    : []
  const [bad] = failed
  if (bad)
    return {
      outcome: 'FAIL',
      reason: `${describe(bad, vip)}, at least ${count} are due for the VIP ${vip} ${allowed(bound)}.`,
      measurements,
      proof: inOrder([arrivalOf(history, vip, bad.arrival), ...bad.sent, ...strangersAmong(garps, bad)]),
    }
  const [open] = missing
  if (!fewest || open)
    return inconclusive(
      open
        ? `The recording ends before ${open.arrival.node} had to send ${claims(vip)} for ${vip} ${allowed(bound)}.`
        : `No director kept the VIP ${vip} long enough to send ${claims(vip)} for it ${allowed(bound)}.`,
      open ? [arrivalOf(history, vip, open.arrival)] : [],
    )
  return {
    outcome: 'PASS',
    reason:
      `${arrivals.length} arrivals of the VIP ${vip}, each with ${fewest.sent.length} ${claims(vip)} or more` +
      `${againAfterMs > 0 ? `, and as many ${seconds(againAfterMs)} later` : ''} ${allowed(bound)}.`,
    measurements,
    proof: inOrder([arrivalOf(history, vip, fewest.arrival), ...fewest.sent.slice(0, count)]),
  }
}

interface Burst {
  arrival: Holding
  /** ms after the arrival at which it was due */
  delay: number
  sent: GratuitousArpEvent[]
  /** ms on the lab's clock */
  until: number
}

const describe = ({ arrival, delay, sent }: Burst, vip: string): string =>
  `${arrival.node} sent ${sent.length} ${claims(vip)} ${delay > 0 ? `${seconds(delay)} ` : ''}after the VIP came to it at ` +
  `${(arrival.from / 1000).toFixed(3)} s`

/** The longest time that a burst took to its last packet that was due, ms. */
const lastOf = (bursts: Burst[], count: number): number =>
  Math.max(
    ...bursts.map(({ arrival, delay, sent }) => (sent[count - 1]?.t ?? arrival.from + delay) - arrival.from - delay),
  )

const arrivalOf = (history: History, vip: string, { node, from }: Holding): AddressEvent | undefined =>
  eventsOf(history, 'address').find(event => event.address === vip && event.node === node && event.t === from)

/** Who else claimed the VIP in that time. */
const strangersAmong = (garps: GratuitousArpEvent[], { arrival, until }: Burst): GratuitousArpEvent[] =>
  garps.filter(({ node, t }) => node !== arrival.node && t >= arrival.from && t <= until).slice(0, 1)
