import type { KeepalivedEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { eventsOf } from '../history/queries.ts'
import { inconclusive, inOrder } from './guard.ts'
import type { Verdict } from './verdict.ts'

/** A `vrrp_script` that is to succeed while nothing is wrong, or with `reverse` to fail. */
export interface TrackedScript {
  name: string
  reverse: boolean
}

export interface TrackedParams {
  director: string
  /** What its instances track. */
  scripts: TrackedScript[]
}

/** How a line of keepalived's begins in which it says how a script of its own ends (vrrp_scheduler.c vrrp_script_child_thread). */
export const saysOf = (script: string): string => `VRRP_Script(${script}) `

/** keepalived's last word on a script; undefined where it has said nothing. */
const lastWord = (
  history: History,
  director: string,
  { name, reverse }: TrackedScript,
): { event: KeepalivedEvent; isWrong: boolean } | undefined => {
  const head = saysOf(name)
  const event = eventsOf(history, 'keepalived').findLast(({ node, line }) => node === director && line.startsWith(head))
  if (!event) return undefined
  const up = /^(?:succeeded|considered successful)/.test(event.line.slice(head.length))
  return { event, isWrong: up === reverse }
}

/**
 * What a director tracks is as it is to be while nothing is broken: predictions count on the priorities that it has then. A script that is
 * not says nothing against keepalived, and makes whatever follows from it inconclusive.
 */
export const checkTracked = (history: History, { director, scripts }: TrackedParams): Verdict => {
  const words = scripts.flatMap(script => lastWord(history, director, script) ?? [])
  const wrong = words.filter(({ isWrong }) => isWrong)
  if (wrong.length > 0)
    return inconclusive(
      `While nothing was broken, keepalived said on ${director}: ${wrong.map(({ event }) => event.line).join('; ')}. What the script asks may not be in the lab: the folder of ${director} is the place for it.`,
      wrong.map(({ event }) => event),
    )
  return {
    outcome: 'PASS',
    reason: `Nothing that keepalived said on ${director} of ${scripts.map(({ name }) => name).join(', ')} is against it.`,
    measurements: [],
    proof: inOrder(words.map(({ event }) => event)),
  }
}
