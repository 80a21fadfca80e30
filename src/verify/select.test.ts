import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { LvslabError } from '../errors.ts'
import { loadTopology } from '../topology/load.ts'
import { agendaOf } from './agenda.ts'
import { type Plan, planTopology } from './plan.ts'
import type { Selection } from './select.ts'

const topology = loadTopology(path.resolve(import.meta.dirname, '../../topologies/keepalived-dr'))

/** What is tried: scenario by scenario, `scenario: check, check`. */
const tried = (selection: Selection): { plan: Plan; lines: string[] } => {
  const plan = planTopology(topology)
  const { convergence, scenarios } = agendaOf(plan, selection)
  const all = [{ name: 'convergence', checks: convergence }, ...scenarios]
  return {
    plan,
    lines: all.flatMap(({ name, checks }) =>
      checks.length === 0 ? [] : [`${name}: ${checks.map(({ check }) => check).join(', ')}`],
    ),
  }
}

const refusal = (selection: Selection): LvslabError => {
  try {
    tried(selection)
  } catch (error) {
    if (error instanceof LvslabError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('what is tried of the DR pair', () => {
  it('is everything where nothing is named', () => {
    const { plan, lines } = tried({})
    expect(lines).toHaveLength(11)
    expect(plan.untested).toEqual([])
  })

  it('is a scenario with all of its checks where that is named', () => {
    expect(tried({ only: ['failover-stop'] }).lines).toEqual([
      'failover-stop-10.0.0.100: failover-stop, preemption-stop, single-owner-stop, garp-stop, silent-backup-stop',
    ])
  })

  it('is one check of each scenario that has it, and the others are untested', () => {
    const { plan, lines } = tried({ only: ['preemption', 'shares'] })
    expect(lines).toEqual([
      'shares-10.0.0.100:80/TCP: shares-10.0.0.100:80/TCP',
      'failover-stop-10.0.0.100: preemption-stop',
      'failover-crash-10.0.0.100: preemption-crash',
      'failover-link-eth0-10.0.0.100: preemption-link-eth0',
    ])
    expect(plan.untested).toHaveLength(22)
    expect(plan.untested).toContainEqual({
      what: 'keepalived on d1 accepts every line of its configuration',
      why: 'not in --only preemption,shares',
    })
  })

  it('is without what is skipped, also where it was asked for', () => {
    const { plan, lines } = tried({ only: ['convergence', 'configuration-d1', 'server'], skip: ['*rs1*'] })
    expect(lines).toEqual([
      'convergence: single-owner-10.0.0.100',
      'configuration: configuration-d1',
      'server-10.0.0.100:80/TCP-rs2:80: server-10.0.0.100:80/TCP-rs2:80',
    ])
    expect(plan.untested).toContainEqual({
      what: 'rs1 leaves 10.0.0.100:80/TCP when its httpd crashes, and comes back when it returns',
      why: '--skip *rs1*',
    })
  })

  it('goes by whole words: the beginning of a number names nothing', () => {
    expect(tried({ only: ['shares-10.0.0.100'] }).lines).toHaveLength(1)
    expect(refusal({ only: ['shares-10.0.0.10'] })).toMatchObject({ code: 'USAGE', exitCode: 2 })
    expect(refusal({ only: ['.*'] }).message).toBe('--only .* fits the name of no check')
  })
})

describe('a name that fits nothing', () => {
  it('is refused with what was meant, and with what there is', () => {
    const { message, remedy } = refusal({ skip: ['failovr'] })
    expect(message).toBe('--skip failovr fits the name of no check; did you mean "failover"?')
    expect(remedy).toMatch(/^name one of convergence, single-owner, configuration, table, shares, failover-stop, /)
  })

  it('is as little taken as names that leave nothing', () => {
    expect(refusal({ only: ['shares'], skip: ['shares'] }).message).toBe('--only and --skip leave nothing to try')
    expect(refusal({ skip: ['*'] }).message).toBe('--only and --skip leave nothing to try')
  })
})
