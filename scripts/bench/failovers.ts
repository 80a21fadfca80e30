/**
 * Compares predicted failover bounds with what really happens: each cause so many times, the fault at as many different
 * phases of the advertisement interval. What clients saw is measured twice, from a probe's requests and from the packets
 * that a capture on the client recorded.
 *
 *   npm run bench -- failovers                   50 of each cause: stop, crash, link down, VRRP blocked
 *   npm run bench -- failovers --count 5 --cause keepalived-crash,link-down --clock real
 */
import { terminalSteps } from '../../src/cli/steps.ts'
import type { PacketEvent } from '../../src/history/event.ts'
import { eventsOf, longestGap, requestsOf } from '../../src/history/queries.ts'
import { checkFailover } from '../../src/judge/failover.ts'
import { guard } from '../../src/judge/guard.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { ensureTemplate, forkLab, prepareEngine } from '../../src/lab/vm-labs.ts'
import { describeBound } from '../../src/model/bound.ts'
import { crashBound, stopBound } from '../../src/model/vrrp.ts'
import { loadTopology } from '../../src/topology/load.ts'
import { planTopology } from '../../src/verify/plan.ts'
import { SLACK_MS } from '../../src/verify/scenario.ts'
import { benchOptions, clock, list, noPair, oneOf, text, whole } from '../bench-options.ts'
import { repeat } from '../repeat.ts'

const NAMES = ['keepalived-stop', 'keepalived-crash', 'link-down', 'vrrp-block'] as const

const values = benchOptions({
  topology: text.default('topologies/keepalived-dr'),
  clock: clock.default('default'),
  count: whole(1).default(50),
  cause: list(oneOf(NAMES)).default([...NAMES]),
})

using steps = terminalSteps(process.stderr)
const plan = planTopology(loadTopology(values.topology))
const [vip] = plan.vips
const [master, backup] = vip?.members ?? []
const [service] = plan.services
if (!vip || !master || !backup || !service) throw noPair(plan.topology.name)

type Cause = (typeof NAMES)[number]

const silent = crashBound(master.instance, backup.instance)

/** What ends the MASTER's reign: how, and in what time the VIP must be on the other director. */
const CAUSES: Record<Cause, { bound: typeof silent; inject: (lab: Lab) => Promise<unknown> }> = {
  'keepalived-stop': {
    bound: stopBound(master.instance, backup.instance),
    inject: lab => lab.inject('keepalived-stop', master.node),
  },
  'keepalived-crash': { bound: silent, inject: lab => lab.inject('keepalived-crash', master.node) },
  'link-down': { bound: silent, inject: lab => lab.inject('link-down', master.node) },
  'vrrp-block': { bound: silent, inject: lab => lab.inject('vrrp-block', master.node, { direction: 'both' }) },
}

const prepared = await prepareEngine({ clock: values.clock, steps })
const template = await ensureTemplate(prepared, plan.topology, plan.readiness, { steps })

/** ms after the origin of the fork. */
const [PROBE_AT, FAULT_AT] = [3_600, 4_000]
const RATE = 25
const STEP_MS = 1000 / RATE

/** Packets with a payload, from the VIP: what the client was answered. */
const ANSWERS = `src host ${vip.address} and tcp and (ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) > 0`

interface Failover {
  outcome: string
  reason: string
  /** From the fault to the VIP on the other director, ms. */
  move: number
  /** Longest silence that a client saw, ms: by its requests, and by the packets. */
  byProbe: number
  byPackets: number
}

/** When each connection was answered first: a real server whose ACKs are lost repeats itself. */
const firstAnswers = (packets: readonly PacketEvent[]): number[] => {
  const first = new Map<number | undefined, number>()
  for (const { destinationPort, t } of packets) if (!first.has(destinationPort)) first.set(destinationPort, t)
  return [...first.values()]
}

/** The longest silence between two answers, where the second came after a moment; ms */
const silence = (times: number[], after: number): number => {
  const sorted = times.toSorted((a, b) => a - b)
  return Math.max(...sorted.map((t, n) => (t > after && n > 0 ? t - (sorted[n - 1] as number) : 0)))
}

const failover = async (fault: Cause, phaseMs: number): Promise<Failover> => {
  const { bound, inject } = CAUSES[fault]
  const endAt = FAULT_AT + phaseMs + bound.maxMs + 400
  await using lab = await forkLab(prepared, template, plan.topology, `${fault} at phase ${phaseMs}`)
  const client = plan.topology.nodes.find(node => node.name === plan.client)
  const device = client?.interfaces[0]?.name ?? ''
  const stop = await lab.capture({ capture: 'answers', node: plan.client, device, filter: ANSWERS })
  const count = Math.ceil(((endAt - PROBE_AT) * RATE) / 1000)
  await Promise.all([
    lab.at(lab.origin + PROBE_AT, () =>
      lab.http({ probe: 'clients', client: plan.client, url: service.url, rate: RATE, count }),
    ),
    lab.at(lab.origin + FAULT_AT + phaseMs, () => inject(lab)),
    lab.at(lab.origin + endAt + 500, () => lab.mark('over')),
  ])
  await stop()
  const { history } = lab
  const verdict = guard(history, () =>
    checkFailover(history, {
      ...{ vip: vip.address, directors: plan.directors, from: master.node, to: backup.node, fault, bound },
      ...{ slackMs: SLACK_MS, watch: { probe: 'clients', stepMs: STEP_MS } },
    }),
  )
  const injected = eventsOf(history, 'fault').at(-1)?.t ?? 0
  return {
    outcome: verdict.outcome,
    reason: verdict.reason,
    move: verdict.measurements.find(m => m.name === 'VIP move')?.value ?? Number.NaN,
    byProbe: longestGap(requestsOf(history, 'clients'), injected)?.length ?? Number.NaN,
    byPackets: silence(firstAnswers(eventsOf(history, 'packet')), injected),
  }
}

/** `2700 ████ 4`, one line for each class. */
const histogram = (numbers: number[]): string => {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
  const width = [1, 2, 5, 10, 20, 50, 100, 200, 500].find(w => (most - least) / w <= 12) ?? 1000
  const classes = new Map<number, number>()
  for (let at = Math.floor(least / width) * width; at <= most; at += width) classes.set(at, 0)
  for (const number of numbers) {
    const at = Math.floor(number / width) * width
    classes.set(at, (classes.get(at) ?? 0) + 1)
  }
  return [...classes].map(([at, n]) => `    ${String(at).padStart(6)} ms ${'█'.repeat(n)} ${n || ''}`).join('\n')
}

const range = (numbers: number[]): string =>
  `${Math.min(...numbers).toFixed(1)} to ${Math.max(...numbers).toFixed(1)} ms`

console.log(`${plan.topology.name}, ${prepared.spec.accelerator}, ${prepared.spec.clock} clock`)
const { count } = values
let failed = 0
for (const fault of values.cause) {
  const { bound } = CAUSES[fault]
  const interval = master.instance.advertInterval
  const phases = Array.from({ length: count }, (_, n) => (n * interval) / count).values()
  const { results, errors } = await repeat(count, prepared.spec.clock === 'virtual' ? 2 : 1, () =>
    failover(fault, phases.next().value ?? 0),
  )
  const moves = results.map(one => one.move)
  const apart = results.map(one => Math.abs(one.byProbe - one.byPackets))
  const inside = results.filter(one => one.outcome === 'PASS').length
  console.log(`\n${fault}: ${count} failovers at ${count} phases of the ${interval} ms interval`)
  console.log(`  VIP move allowed: ${describeBound(bound)}: ${bound.formula}`)
  console.log(`  inside: ${inside} of ${count}; VIP move ${range(moves)}`)
  console.log(histogram(moves))
  console.log(`  client gap by probe ${range(results.map(one => one.byProbe))}`)
  console.log(`  client gap by packets ${range(results.map(one => one.byPackets))}`)
  console.log(`  the two are at most ${Math.max(...apart).toFixed(1)} ms apart (a probe step is ${STEP_MS} ms)`)
  for (const one of results.filter(({ outcome }) => outcome !== 'PASS')) console.log(`  ${one.outcome} ${one.reason}`)
  for (const why of errors) console.log(`  ${why}`)
  failed += count - inside + apart.filter(ms => ms > STEP_MS).length
}
process.exitCode = failed > 0 ? 1 : 0
