import { describe, expect, it } from 'vitest'
import { createBudget } from './budget.ts'

describe('a budget of 60 s', () => {
  /** One that began at 1000 ms, with a clock that the test sets. */
  const budget = () => {
    const clock = { now: 1_000 }
    return { clock, ...createBudget(60_000, 1_000, () => clock.now) }
  }

  it('begins the first scenario while there is any time at all: nothing is known yet', () => {
    const { clock, allows } = budget()
    clock.now = 60_999
    expect(allows('shares-10.0.0.1:80/TCP')).toBe(true)
    clock.now = 61_000
    expect(allows('shares-10.0.0.1:80/TCP')).toBe(false)
  })

  it('expects of a scenario what the longest of its kind took', () => {
    const { clock, allows, ended } = budget()
    ended('shares-10.0.0.1:80/TCP', 9_000)
    ended('shares-10.0.0.2:80/TCP', 4_000)
    ended('failover-stop-10.0.0.1', 20_000)
    clock.now = 52_000
    expect(allows('shares-10.0.0.3:80/TCP')).toBe(true)
    expect(allows('failover-stop-10.0.0.2')).toBe(false)
    clock.now = 52_001
    expect(allows('shares-10.0.0.3:80/TCP')).toBe(false)
  })

  it('expects of the first of a kind what the longest of any took', () => {
    const { clock, allows, ended } = budget()
    ended('configuration', 2_000)
    ended('shares-10.0.0.1:80/TCP', 9_000)
    clock.now = 52_000
    expect(allows('sorry-10.0.0.1:80/TCP')).toBe(true)
    clock.now = 52_500
    expect(allows('sorry-10.0.0.1:80/TCP')).toBe(false)
    expect(allows('configuration')).toBe(true)
  })
})
