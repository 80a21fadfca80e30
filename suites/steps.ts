import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import type { CommandResult } from '../src/agent/protocol.ts'
import type { RequestEvent } from '../src/history/event.ts'
import { eventsOf, holdingsOf } from '../src/history/queries.ts'
import { schedulingOf } from '../src/judge/limit.ts'
import type { Lab } from '../src/lab/lab.ts'
import { describeBound, seconds } from '../src/model/bound.ts'
import type { Bound, DirectorConfig, VrrpInstance } from '../src/model/types.ts'
import { loadTopology } from '../src/topology/load.ts'
import { type Plan, planTopology } from '../src/verify/plan.ts'
import { SLACK_MS } from '../src/verify/scenario.ts'
import { changedTopology } from './command-line.ts'

/** Steps and questions that several suites have. */

/** Reading the table after the log line that announced its change, ms. */
export const READING_MS = 150

/** What a measurement may add, ms: scheduling of the lab's machine, and reading. */
export const slackOf = (lab: Lab): number => READING_MS + schedulingOf(lab.history, SLACK_MS)

/** Runs a script of sh in a node, which must succeed; what it says is evidence. */
export const run = async (lab: Lab, node: string, script: string): Promise<CommandResult> => {
  const result = await lab.exec(node, ['sh', '-c', script], { record: true })
  expect(`${result.code} ${result.stderr}`, `${node}: ${script}`).toMatch(/^0 /)
  return result
}

/** Says what came out beside what was promised, and holds the one against the other. */
export const within = (
  lab: Lab,
  what: string,
  cause: Pick<CommandResult, 'started' | 'ended'>,
  t: number | undefined,
  bound: Bound,
): void => {
  if (t === undefined) throw new Error(`${what}: it never happened; promised: ${bound.formula}`)
  const took = t - cause.started
  const slackMs = slackOf(lab)
  process.stderr.write(`${what}: ${seconds(took)}, ${describeBound(bound)} (${bound.formula})\n`)
  expect(took, `${what}: ${bound.formula}`).toBeLessThanOrEqual(bound.maxMs + (cause.ended - cause.started) + slackMs)
  expect(took, `${what} too early: ${bound.formula}`).toBeGreaterThanOrEqual((bound.minMs ?? 0) - slackMs)
}

/** When a node took an address after a moment; undefined where it did not, or held it already. */
export const whenTaken = (lab: Lab, address: string, node: string, after: number): number | undefined =>
  holdingsOf(lab.history, address, [node]).find(one => one.from >= after)?.from

export const directorOf = ({ configs }: Pick<Plan, 'configs'>, node: string): DirectorConfig => {
  const found = configs.find(config => config.node === node)
  if (!found) throw new Error(`no director ${node}`)
  return found
}

export const instanceOf = (plan: Pick<Plan, 'configs'>, node: string, name: string): VrrpInstance => {
  const found = directorOf(plan, node).instances.find(instance => instance.name === name)
  if (!found) throw new Error(`no ${name} on ${node}`)
  return found
}

/** Writes a file of a node anew, as an operator does with an editor: nobody is told. */
export const write = (lab: Lab, node: string, file: string, text: string): Promise<CommandResult> =>
  run(lab, node, `cat >${file} <<'END_OF_FILE'\n${text.replace(/\n$/, '')}\nEND_OF_FILE`)

/**
 * Has a director's keepalived begin anew with a file of its configuration changed, whatever keepalived's own test says of
 * it.
 *
 * @param file in the topology's folder: `d1/etc/keepalived/conf.d/vip.conf`
 * @returns what the configuration promises now
 */
export const restartWith = async (
  lab: Lab,
  dir: string,
  file: string,
  change: (text: string) => string,
): Promise<Plan> => {
  const [node = ''] = file.split('/')
  const changed = await changedTopology(dir, file, change)
  await write(lab, node, file.slice(node.length), readFileSync(path.join(changed, file), 'utf8'))
  await run(lab, node, 'service=/usr/lib/lvslab/service; $service keepalived stop; $service keepalived start')
  return planTopology(loadTopology(changed))
}

/** Whether keepalived takes every line of a director's configuration; its words are evidence. */
export const testConfiguration = async (lab: Lab, director: string): Promise<{ director: string; command: string }> => {
  const argv = ['keepalived', '--config-test']
  await lab.exec(director, argv, { record: true })
  return { director, command: argv.join(' ') }
}

/** The requests of all probes, or of one, in the order in which they were due. */
export const requests = (lab: Lab, probe?: string): RequestEvent[] =>
  [...lab.history]
    .filter(event => event.kind === 'request')
    .filter(request => probe === undefined || request.probe === probe)
    .toSorted((a, b) => a.scheduled - b.scheduled)

/** Each value once, in order. */
export const values = (list: readonly (string | number | undefined)[]): string[] =>
  [...new Set(list.map(String))].toSorted((a, b) => a.localeCompare(b))

/** MAC address of a node's eth0: no topology chooses it. */
export const macOf = async (lab: Lab, node: string): Promise<string> =>
  (await run(lab, node, 'cat /sys/class/net/eth0/address')).stdout.trim()

/** What keepalived has said on a director. */
export const linesOf = (lab: Lab, director: string): string[] =>
  eventsOf(lab.history, 'keepalived').flatMap(({ node, line }) => (node === director ? [line] : []))

/** A counter of a node's kernel, as nstat names it: `IcmpOutTimeExcds`. */
export const counter = async (lab: Lab, node: string, name: string): Promise<number> =>
  Number((await run(lab, node, `nstat -az ${name}`)).stdout.trim().split('\n').at(-1)?.trim().split(/\s+/)[1])
