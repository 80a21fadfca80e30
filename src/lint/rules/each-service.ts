import type { LdirectordService } from '../../model/ldirectord.ts'
import type { VirtualService } from '../../model/types.ts'
import type { Director, Found, LintInput } from '../rule.ts'

/** What is found of each service of each director. */
export const eachService =
  (judge: (service: VirtualService, director: Director, input: LintInput) => Found[]) =>
  (input: LintInput): Found[] =>
    input.directors.flatMap(director => director.config.services.flatMap(service => judge(service, director, input)))

/** The section of ldirectord.cf that a service is of. */
export const sectionOf = (service: VirtualService, { ldirectord }: Director): LdirectordService | undefined =>
  ldirectord?.services.find(one => one.service === service)

/** One finding for each place: a service of a group stands for many, and so do its servers. */
export const onePerPlace = (found: Found[]): Found[] =>
  [...new Map(found.toReversed().map(one => [one.at, one])).values()].toReversed()

/** The sysctl by which a template that points at a server of weight 0 counts no more. */
export const EXPIRE_QUIESCENT = 'net.ipv4.vs.expire_quiescent_template'
