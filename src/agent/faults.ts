import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Armed, arm, PRELUDE } from './armed-script.ts'
import { now } from './clock.ts'
import { snapshotIpvs } from './ipvs.ts'
import { record } from './journal.ts'
import { armMachine } from './machine.ts'
import { runInNode } from './namespace.ts'
import type { AgentNode, FaultResult, FaultStep, Operations, Proof } from './protocol.ts'
import { until } from './until.ts'

/** The nodes, as faults need them. */
export interface FaultNodes {
  nodeOf: (name: string) => AgentNode
  directors: AgentNode[]
}

/** How often a proof that fails is tried again, ms of lab time. */
const TRY_AGAIN_MS = 200

/** What was thrown, in words. */
const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Does the steps of a fault. All of them are armed first, so that what the event brackets is the effect and no start of a
 * process; where one cannot be, nothing was touched and nothing is recorded.
 *
 * @param moment what is awaited between the two: of a fault that is scheduled, its time
 */
export const runFault = async (
  { fault, node, injection, params, phase, steps, proofs = [], timeoutMs }: Operations['fault']['args'],
  { nodeOf, directors }: FaultNodes,
  moment: () => Promise<void> = async () => {},
): Promise<FaultResult> => {
  await Promise.all(directors.map(director => snapshotIpvs(director, 'step', true)))
  const attempts = await Promise.allSettled(steps.map(step => armStep(step, nodeOf, timeoutMs)))
  const armed = attempts.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
  const refusals = attempts.flatMap(one => (one.status === 'rejected' ? [wordsOf(one.reason)] : []))
  if (refusals.length > 0) {
    for (const one of armed) one.abandon()
    return { started: now(), ended: now(), refused: refusals.join('; ') }
  }
  await moment()
  const started = now()
  const done = await Promise.allSettled(armed.map(one => one.go()))
  const ended = now()
  const failed = done.flatMap(one => (one.status === 'rejected' ? [wordsOf(one.reason)] : [])).join('; ')
  record({
    ...{ kind: 'fault', t: started, phase, fault, node, injection, done: ended },
    ...(params && Object.keys(params).length > 0 && { params }),
    ...(failed && { detail: failed }),
  })
  await Promise.all(directors.map(director => snapshotIpvs(director, 'step', true)))
  for (const one of armed) await one.after?.()
  const unproved = await prove(proofs, nodeOf, timeoutMs)
  return { started, ended, ...(failed && { failed }), ...(unproved.length > 0 && { unproved }) }
}

const armStep = async (step: FaultStep, nodeOf: FaultNodes['nodeOf'], timeoutMs: number): Promise<Armed> => {
  const node = nodeOf(step.node)
  if ('machine' in step) return armMachine(node, step, timeoutMs)
  const args = (step.macsOf ?? []).flatMap(name => macsOf(nodeOf(name)))
  const script = await arm(node, step, { timeoutMs, args })
  const { until: condition } = step
  if (!condition) return script
  return {
    ...script,
    go: async () => {
      const happened = until(condition, timeoutMs, nodeOf)
      await script.go()
      if (await happened) return
      throw new Error(`${node.name}: within ${timeoutMs} ms it did not happen that ${JSON.stringify(condition)}`)
    },
  }
}

/** The node's own view of its devices: /sys shows the network namespace that it was mounted in. */
const macsOf = ({ pid, interfaces }: AgentNode): string[] =>
  interfaces.map(({ device }) => readFileSync(`/proc/${pid}/root/sys/class/net/${device}/address`, 'utf8').trim())

/** Tries each proof until it succeeds or the time is over; returns what those say that never did. */
const prove = async (proofs: Proof[], nodeOf: FaultNodes['nodeOf'], timeoutMs: number): Promise<string[]> => {
  const deadline = now() + timeoutMs
  const attempt = async ({ node, script }: Proof): Promise<string | undefined> => {
    for (;;) {
      const { code, stdout, stderr } = await runInNode(nodeOf(node), ['sh', '-c', `${PRELUDE}${script}`], timeoutMs)
      if (code === 0) return undefined
      if (now() >= deadline) return `${node}: ${`${stdout}${stderr}`.trim() || `\`${script}\` ended with ${code}`}`
      await sleep(TRY_AGAIN_MS)
    }
  }
  return (await Promise.all(proofs.map(attempt))).filter(words => words !== undefined)
}
