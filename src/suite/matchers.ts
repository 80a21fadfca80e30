import { expect } from 'vitest'
import { History } from '../history/history.ts'
import type { FailoverParams } from '../judge/failover.ts'
import type { OwnerParams } from '../judge/owner.ts'
import type { PoolParams } from '../judge/pool.ts'
import { type ParamsOf, type PlannedCheck, type Rule, RULES } from '../judge/rules.ts'
import type { SharesParams } from '../judge/shares.ts'
import type { SorryParams } from '../judge/sorry.ts'
import { describeBound } from '../model/bound.ts'
import type { Bound } from '../model/types.ts'
import { formatEvidence } from '../report/evidence.ts'
import type { PlannedVip } from '../verify/plan.ts'
import { SLACK_MS } from '../verify/scenario.ts'
import { judgeAndRecord } from './record.ts'
import { unknownNames } from './unknown-names.ts'

/** A VIP of the plan stands for its address and for every director that may hold it. */
type OfVip<P> = Omit<P, 'vip' | 'directors' | 'bound'> & { vip: PlannedVip }

/** What the report calls a check; by default it is called after its rule. */
interface Named {
  check?: string
  title?: string
}

/**
 * What a suite expects of a history: `expect(lab.history).toFailOverWithin(...)`. Each judges by a rule of `judge/rules.ts`. An
 * INCONCLUSIVE verdict fails the test, under `.not` as well: `.not` expects the verdict FAIL, where something is wrong on purpose.
 */
declare module 'vitest' {
  // R and T must be called so
  interface Matchers<R, T> {
    /** After the fault on `from`, `to` holds the VIP within the bound; with `watch`, clients notice it for no longer. */
    toFailOverWithin(bound: Bound, params: OfVip<FailoverParams> & Named): R
    /** No two live directors hold the VIP for longer than the bound; with `noneBound`, it is without one for no longer than that. */
    toKeepOneOwner(bound: Bound, params: OfVip<OwnerParams> & Named): R
    /** Of each cycle of connections (the sum of the shares) every server answers its share: `{ rs1: 3, rs2: 1 }`. */
    toShareExactly(shares: Record<string, number>, params: Omit<SharesParams, 'expected'> & Named): R
    /** After the fault on a real server's node, its director's table is without it within the bound. */
    toRemoveServerWithin(bound: Bound, params: OfVip<Omit<PoolParams, 'downBound'>> & Named): R
    /** The sorry page answers within the bound once every real server is dead, and never before. */
    toServeSorryPageOnlyWhenDue(bound: Bound, params: OfVip<SorryParams> & Named): R
    /** Any rule, with its parameters as they are. */
    toPass<K extends Rule>(rule: K, params: ParamsOf<K>, named?: Named): R
  }
}

interface MatcherResult {
  pass: boolean
  message: () => string
}

const match = (isNot: boolean, received: unknown, planned: PlannedCheck): MatcherResult => {
  if (!(received instanceof History)) throw new TypeError('expected the history of a lab: expect(lab.history)')
  const verdict = judgeAndRecord(received, isNot ? { ...planned, expected: 'FAIL' } : planned)
  // vitest turns `pass` round under .not, and an INCONCLUSIVE must fail there as well
  const fine = verdict.outcome === 'PASS'
  const message = (): string =>
    [formatEvidence(planned.title, verdict), ...unknownNames(received, planned.params)].join('\n  ')
  return { pass: isNot ? !fine : fine, message }
}

const nodesOf = ({ members }: PlannedVip): string[] => members.map(member => member.node)

/** `slackMs` is what scenarios of `verify` allow, where it is left out. */
const ofVip = <P extends { vip: PlannedVip }>({ vip, ...params }: P) => ({
  slackMs: SLACK_MS,
  ...params,
  vip: vip.address,
  directors: nodesOf(vip),
})

const split = <P extends Named>({ check, title, ...params }: P, rule: Rule, promise: string) => ({
  named: { check: check ?? rule, title: title ?? promise },
  params,
})

/** Judges a check of a plan on the history of a test's lab. @throws AssertionError unless it passes */
export const expectCheck = (history: History, planned: PlannedCheck): void => {
  const { rule, params, check, title } = planned
  if (planned.expected === 'FAIL') expect(history).not.toPass(rule, params, { check, title })
  else expect(history).toPass(rule, params, { check, title })
}

expect.extend({
  toFailOverWithin(received: unknown, bound: Bound, options: OfVip<FailoverParams> & Named) {
    const { vip, from, to, fault } = options
    const promise = `${to} takes over the VIP ${vip.address} from ${from} after ${fault}, within ${describeBound(bound)}`
    const { named, params } = split(options, 'failover', promise)
    return match(this.isNot, received, { ...named, rule: 'failover', params: { ...ofVip(params), bound } })
  },
  toKeepOneOwner(received: unknown, bound: Bound, options: OfVip<OwnerParams> & Named) {
    const none = options.noneBound ? `, nor is it without one for longer than ${describeBound(options.noneBound)}` : ''
    const promise = `no two live directors hold the VIP ${options.vip.address} for longer than ${describeBound(bound)}${none}`
    const { named, params } = split(options, 'single-owner', promise)
    const { vip, ...rest } = params
    const directors = vip.members.map(({ node, address }) => ({ node, address }))
    const owner: OwnerParams = { slackMs: SLACK_MS, ...rest, vip: vip.address, directors, bound }
    return match(this.isNot, received, { ...named, rule: 'single-owner', params: owner })
  },
  toShareExactly(received: unknown, shares: Record<string, number>, options: Omit<SharesParams, 'expected'> & Named) {
    const cycle = Object.values(shares).reduce((sum, share) => sum + share, 0)
    const words = Object.entries(shares).map(([server, share]) => `${server} ${share}`)
    const promise = `of each ${cycle} connections of ${options.probe}: ${words.join(', ')}`
    const { named, params } = split(options, 'shares', promise)
    const expected = { scheduler: 'the scheduler', cycle, shares, source: 'the suite' }
    return match(this.isNot, received, { ...named, rule: 'shares', params: { ...params, expected } })
  },
  toRemoveServerWithin(received: unknown, bound: Bound, options: OfVip<Omit<PoolParams, 'downBound'>> & Named) {
    const { server, service, fault } = options
    const promise = `${server.node} leaves ${service} after ${fault}, within ${describeBound(bound)}`
    const { named, params } = split(options, 'pool', promise)
    return match(this.isNot, received, { ...named, rule: 'pool', params: { ...ofVip(params), downBound: bound } })
  },
  toServeSorryPageOnlyWhenDue(received: unknown, bound: Bound, options: OfVip<SorryParams> & Named) {
    const promise = `the sorry page of ${options.service} answers within ${describeBound(bound)}, and only when it is due`
    const { named, params } = split(options, 'sorry', promise)
    return match(this.isNot, received, { ...named, rule: 'sorry', params: { ...ofVip(params), bound } })
  },
  toPass<K extends Rule>(received: unknown, rule: K, params: ParamsOf<K>, { check, title }: Named = {}) {
    if (!Object.hasOwn(RULES, rule))
      throw new TypeError(`no rule ${rule}; the rules are ${Object.keys(RULES).join(', ')}`)
    const planned = { check: check ?? rule, title: title ?? `the rule ${rule}`, rule, params }
    return match(this.isNot, received, planned as PlannedCheck)
  },
})
