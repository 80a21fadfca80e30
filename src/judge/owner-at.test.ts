import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { DIRECTORS, fault, historyInTime, holds, VIP } from './examples.ts'
import { liveOwnersAt, ownerAt } from './owner-at.ts'

const crash = (t: number, phase: 'inject' | 'heal' = 'inject') => fault(t, 'keepalived-crash', 'd1', phase)
const stale = [holds(0, 'd1'), crash(1000), holds(4000, 'd2')]

describe('who holds a VIP and attends to it', () => {
  const at = (events: LabEvent[], ...times: number[]) =>
    times.map(liveOwnersAt(historyInTime(events), VIP, DIRECTORS)).map(owners => owners.join(' '))

  it('is nobody who is dead, from the moment after the fault to the end of its heal', () => {
    expect(at(stale, 999, 1000, 1001, 4000, 90_000)).toEqual(['d1', 'd1', '', 'd2', 'd2'])
    expect(at([...stale, { ...crash(10_000, 'heal'), done: 11_000 }], 10_999, 11_000)).toEqual(['d2', 'd1 d2'])
  })

  it('is nobody who is frozen or paused; another fault leaves it one', () => {
    for (const [name, owner] of [
      ['keepalived-freeze', 'd2'],
      ['node-pause', 'd2'],
      ['httpd-crash', 'd1 d2'],
    ] as const)
      expect(at([holds(0, 'd1'), fault(1000, name, 'd1'), holds(4000, 'd2')], 5000)).toEqual([owner])
  })
})

describe('whose table counts', () => {
  const owner = (events: LabEvent[]) =>
    ownerAt(historyInTime(events), { vip: VIP, directors: DIRECTORS }, fault(5000, 'httpd-crash', 'rs1'))

  it('is that of the one live director that holds the VIP', () => {
    expect(owner(stale)).toBe('d2')
    expect(owner([holds(0, 'd1')])).toBe('d1')
  })

  it("is nobody's where there is none, or another", () => {
    expect(owner([holds(0, 'd1'), crash(1000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'No live director held the VIP 10.0.0.100 at httpd-crash on rs1.',
      proof: [{ kind: 'fault', fault: 'httpd-crash' }],
    })
    expect(owner([holds(0, 'd1'), holds(1, 'd2')])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining(
        'd1 and d2 both held the VIP 10.0.0.100 at httpd-crash on rs1, so no table tells',
      ),
    })
  })
})
