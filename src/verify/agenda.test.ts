import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Limit } from '../model/limits.ts'
import { loadTopology } from '../topology/load.ts'
import { type Choice, agendaOf } from './agenda.ts'
import { planTopology } from './plan.ts'

const topology = loadTopology(path.resolve(import.meta.dirname, '../../topologies/keepalived-dr'))
const removal: Limit = { name: 'removal', maxMs: 5_000, at: 'topology.yaml:9' }
const gap: Limit = { name: 'gap', maxMs: 3_000, at: 'topology.yaml:8' }

/** Limits of the checks, `check: measurement ms at`, and what is untested. */
const limited = (expected: Limit[], choice: Choice = {}) => {
  const plan = planTopology({ ...topology, expect: expected })
  const { scenarios } = agendaOf(plan, choice)
  const checks = scenarios.flatMap(scenario => scenario.checks)
  return {
    limits: checks.flatMap(({ check, limits = [] }) =>
      limits.map(({ measurement, maxMs, at }) => `${check}: ${measurement} ${maxMs} ${at}`),
    ),
    untested: plan.untested,
  }
}

describe("the operator's own limits", () => {
  it('stand with the checks that measure what they are for', () => {
    expect(limited([gap, removal])).toEqual({
      limits: [
        'failover-stop: client gap 3000 topology.yaml:8',
        'preemption-stop: client gap 3000 topology.yaml:8',
        'failover-crash: client gap 3000 topology.yaml:8',
        'preemption-crash: client gap 3000 topology.yaml:8',
        'failover-link-eth0: client gap 3000 topology.yaml:8',
        'preemption-link-eth0: client gap 3000 topology.yaml:8',
        'server-10.0.0.100:80/TCP-rs1:80: removal 5000 topology.yaml:9',
        'server-10.0.0.100:80/TCP-rs2:80: removal 5000 topology.yaml:9',
      ],
      untested: [],
    })
  })

  it('of the command line stand in the place of those of topology.yaml', () => {
    const { limits } = limited([gap, removal], {
      limits: [{ name: 'gap', maxMs: 500, at: '--max-gap' }],
      only: ['*-stop', 'server'],
    })
    expect(limits).toEqual([
      'failover-stop: client gap 500 --max-gap',
      'preemption-stop: client gap 500 --max-gap',
      'server-10.0.0.100:80/TCP-rs1:80: removal 5000 topology.yaml:9',
      'server-10.0.0.100:80/TCP-rs2:80: removal 5000 topology.yaml:9',
    ])
  })

  it('are untested where what measures them was not chosen', () => {
    expect(limited([gap], { only: ['shares'] }).untested).toContainEqual({
      what: 'limit gap 3 s of topology.yaml:8',
      why: 'no check that was chosen measures it',
    })
  })

  it('that no check measures are untested, never passed', () => {
    const plan = planTopology({ ...topology, expect: [gap] })
    const alone = { ...plan, services: [] }
    agendaOf(alone)
    expect(alone.untested).toEqual([
      { what: 'limit gap 3 s of topology.yaml:8', why: 'no check of this configuration measures it' },
    ])
  })
})
