import type { KeepalivedEvent } from '../history/event.ts'
import type { History } from '../history/history.ts'
import { eventsOf } from '../history/queries.ts'
import { inconclusive, inOrder } from './guard.ts'
import type { Verdict } from './verdict.ts'

export interface TrackedParams {
  director: string
  /** Names of the `vrrp_script`s that its instances track, and that are to succeed. */
  scripts: string[]
}

/** keepalived's last word on a script of its own (vrrp_scheduler.c vrrp_script_child_thread); undefined where it has said nothing. */
const lastWord = (
  history: History,
  director: string,
  script: string,
): { event: KeepalivedEvent; up: boolean } | undefined => {
  const head = `VRRP_Script(${script}) `
  const event = eventsOf(history, 'keepalived').findLast(({ node, line }) => node === director && line.startsWith(head))
  return event && { event, up: /^(?:succeeded|considered successful)/.test(event.line.slice(head.length)) }
}

/**
 * What a director tracks succeeds while nothing is broken: predictions count on the priorities that it has then. A script that fails says
 * nothing against keepalived, and makes whatever follows from it inconclusive.
 */
export const checkTracked = (history: History, { director, scripts }: TrackedParams): Verdict => {
  const words = scripts.flatMap(script => lastWord(history, director, script) ?? [])
  const failing = words.filter(({ up }) => !up)
  if (failing.length > 0)
    return inconclusive(
      `On ${director} keepalived said: ${failing.map(({ event }) => event.line).join('; ')}. What it looks for is not in the lab, or the script is wrong: put both into the folder of ${director}.`,
      failing.map(({ event }) => event),
    )
  return {
    outcome: 'PASS',
    reason: `keepalived on ${director} said of no script that it tracks that it fails: ${scripts.join(', ')}.`,
    measurements: [],
    proof: inOrder(words.map(({ event }) => event)),
  }
}
