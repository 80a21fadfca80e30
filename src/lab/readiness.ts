import type { Condition } from '../agent/protocol.ts'
import type { Steps } from '../engine/progress.ts'
import { LvslabError } from '../errors.ts'
import type { History } from '../history/history.ts'
import { eventsOf } from '../history/queries.ts'
import type { Lab } from './lab.ts'

/** One thing that must hold before a lab is fit to be tested. */
export interface Readiness {
  /** `10.0.0.100 is on d1 alone` */
  title: string
  condition: Condition
  /** ms of lab time, from the start of the wait */
  deadlineMs: number
  /**
   * Waited for before all else, where the last line of keepalived's log on the node that begins so is another one. That it stays another one
   * is for the checks to say.
   */
  unlessSaid?: { node: string; begins: string; line: string }
}

/** The lab did not become what its configuration says; its history tells how far it came. */
export class NotConverged extends LvslabError {
  readonly unmet: string[]
  readonly history: History

  constructor(unmet: string[], history: History) {
    super('LAB_NOT_CONVERGED', `the lab did not become ready: not ${unmet.join('; not ')}`)
    this.unmet = unmet
    this.history = history
  }
}

const isUnsaid = (history: History, { node, begins, line }: NonNullable<Readiness['unlessSaid']>): boolean => {
  const last = eventsOf(history, 'keepalived').findLast(one => one.node === node && one.line.startsWith(begins))
  return last !== undefined && last.line !== line
}

/** Waits for everything at once, inside the lab. @throws NotConverged with what did not come true */
export const waitReady = (lab: Lab, readiness: Readiness[], steps: Steps, signal?: AbortSignal): Promise<void> =>
  steps.step('Wait until the lab has converged', async progress => {
    const waitFor = async (all: Readiness[]): Promise<string[]> => {
      const left = new Set(all.map(r => r.title))
      const show = (): void => progress([...left].join(', '))
      show()
      const waits = all.map(async ({ title, condition, deadlineMs }) => {
        if (!(await lab.until(condition, deadlineMs))) return [title]
        left.delete(title)
        show()
        return []
      })
      return (await Promise.all(waits)).flat()
    }
    const hard = readiness.filter(({ unlessSaid }) => unlessSaid === undefined)
    if (hard.length < readiness.length) await lab.now() // what keepalived has said so far is in the history
    await waitFor(readiness.filter(({ unlessSaid }) => unlessSaid && isUnsaid(lab.history, unlessSaid)))
    const unmet = await waitFor(hard)
    signal?.throwIfAborted()
    if (unmet.length) throw new NotConverged(unmet, lab.history)
  })
