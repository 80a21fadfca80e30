import { isIP } from 'node:net'
import { all } from '../../config/keepalived/values.ts'
import type { VirtualService } from '../../model/types.ts'
import { EVERY_PROGRAM, type Rule } from '../rule.ts'
import { placeOf, statementAt } from '../statements.ts'
import { eachService, EXPIRE_QUIESCENT, onePerPlace } from './each-service.ts'

/** Of what ties clients to real servers: persistence, and schedulers that choose by the client. */

const persistenceDefeated = eachService((service, director) => {
  if (service.persistence === undefined) return []
  const twin = director.config.services
    .slice(0, director.config.services.indexOf(service))
    .find(other => other.persistence !== undefined && isTwin(other, service))
  if (!twin) return []
  const at = placeOf(director, service, 'persistence_timeout', 'persistence_granularity')
  const message = `${twin.name} and ${service.name} are persistent each on its own: a client may get one real server for the one and another for the other`
  return [{ at, other: twin.at, message }]
})

/** A prefix length is what IPv6 wants; the C library takes the number for an address (check_parser.c pgr_handler). */
const granularityNoMask = eachService((service, director) => {
  const value = all(statementAt(director, service.at)?.block ?? [], 'persistence_granularity').at(-1)?.words[1]
  // a group has none, whatever stands there
  if (!value || service.group !== undefined || isIP(service.address ?? '') !== 4 || !/^\d{1,2}$/.test(value.text))
    return []
  const message = `persistence_granularity ${value.text} is the netmask 0.0.0.${Number(value.text)} to keepalived: clients that have nothing in common share a real server`
  return [{ at: value.at, message }]
})

/** Two ports of one VIP with the same servers behind them: HTTP and HTTPS, usually. */
const isTwin = (a: VirtualService, b: VirtualService): boolean =>
  a.address !== undefined &&
  a.address === b.address &&
  a.protocol === b.protocol &&
  a.port !== b.port &&
  addresses(a) === addresses(b)

const addresses = (service: VirtualService): string =>
  service.realServers
    .map(server => server.address)
    .sort()
    .join(' ')

/** Schedulers that choose a server of weight 0 too, and then have none, and the flag that has them choose again (ip_vs_sh.c, ip_vs_mh.c, ip_vs_dh.c). */
const CHOOSES_DEAD: Record<string, string[]> = { sh: ['sh-fallback', 'flag-1'], mh: ['mh-fallback', 'flag-1'], dh: [] }

const inhibitKeeps = eachService((service, { node }) => {
  const { persistence, scheduler, schedulerFlags = [] } = service
  const isKept = persistence !== undefined && node?.sysctls[EXPIRE_QUIESCENT] !== '1'
  const isRefused = CHOOSES_DEAD[scheduler]?.every(flag => !schedulerFlags.includes(flag)) ?? false
  if (!isKept && !isRefused) return []
  const what = isKept
    ? 'persistent clients are sent there as long as they ask'
    : `clients that ${scheduler} chooses it for are refused`
  const otherwise = isKept
    ? `set ${EXPIRE_QUIESCENT} = 1`
    : scheduler === 'dh'
      ? 'take another scheduler'
      : `write ${scheduler}-fallback`
  return service.realServers
    .filter(({ inhibitOnFailure, checks }) => inhibitOnFailure && checks.length > 0)
    .map(({ address, port, at }) => ({
      at,
      message: `${address}:${port} has inhibit_on_failure: while it is down, ${what}`,
      remedy: `take inhibit_on_failure out, or ${otherwise}`,
    }))
})

export const tiedClientRules: Rule[] = [
  {
    code: 'persistence-defeated',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'Persistence that ends at the port',
    why: 'Each persistent service has templates of its own, so two ports of one VIP are persistent apart (net/netfilter/ipvs/ip_vs_core.c ip_vs_sched_persist).',
    remedy: 'Where that matters, mark both ports with one firewall mark and make one service of it.',
    check: persistenceDefeated,
  },
  {
    code: 'granularity-no-mask',
    severity: 'error',
    rejected: false,
    title: 'The granularity of IPv4 clients as a prefix length',
    why: 'keepalived reads a netmask, takes a number for the address that the C library makes of it, and says nothing (check_parser.c pgr_handler).',
    remedy: 'Write the netmask, 255.255.255.0 for 24.',
    check: granularityNoMask,
  },
  {
    code: 'inhibit-keeps',
    severity: 'warning',
    rejected: false,
    title: 'A real server that stays in the table when it fails, and clients that are tied to it',
    why: 'With inhibit_on_failure it gets weight 0 in place of being deleted. A template of a persistent client goes on pointing at it (ip_vs_conn.c ip_vs_check_template), and sh, mh and dh choose it and then have nobody (ip_vs_sh.c ip_vs_sh_schedule).',
    remedy: `Take inhibit_on_failure out; or, for persistence, set ${EXPIRE_QUIESCENT} = 1, for sh and mh write sh-fallback or mh-fallback.`,
    check: input => onePerPlace(inhibitKeeps(input)),
  },
]
