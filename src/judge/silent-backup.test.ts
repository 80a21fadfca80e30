import { describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { addressOf, advert, DIRECTORS, historyInTime, holds, mark, transition, VIP } from './examples.ts'
import { checkSilentBackup, type SilentBackupParams } from './silent-backup.ts'

const params: SilentBackupParams = { vip: VIP, directors: DIRECTORS, vrid: 51, network: 'lan' }
/** What a recording states at its beginning. */
const stated = DIRECTORS.map(node => ({ ...holds(0, node), address: addressOf(node) }))
const judge = (events: LabEvent[], changes: Partial<SilentBackupParams> = {}) =>
  checkSilentBackup(historyInTime([...stated, ...events]), { ...params, ...changes })
const start = [holds(0, 'd1'), advert(500, 'd1', 150), advert(1500, 'd1', 150)]
const moved = [...start, holds(5000, 'd1', 'remove'), holds(6000, 'd2')]

describe('adverts', () => {
  it('pass when all come from who holds the VIP', () => {
    const verdict = judge([...moved, advert(7000, 'd2')])
    expect(verdict).toMatchObject({
      outcome: 'PASS',
      reason: 'All 3 adverts of VRID 51 came from its MASTER (d1, then d2).',
      measurements: [{ value: 3 }, { value: 0 }],
    })
    expect(verdict.proof.map(event => event.t)).toEqual([500, 7000])
  })

  it('of another family are those of another virtual router', () => {
    const six = { ...advert(2000, 'd2'), source: 'fe80::2' }
    expect(judge([...start, six], { family: 4 })).toMatchObject({ outcome: 'PASS', measurements: [{ value: 2 }, {}] })
    expect(judge([...start, six]).outcome).toBe('FAIL')
    expect(judge([...start, six], { family: 6 }).outcome).toBe('FAIL')
  })

  it('fail when a BACKUP sends', () => {
    const verdict = judge([...start, advert(2000, 'd2'), advert(3000, 'd2'), advert(4000, 'd2')])
    expect(verdict.outcome).toBe('FAIL')
    expect(verdict.reason).toBe(
      '3 of 5 adverts of VRID 51 came from d2, which was not MASTER; the first at 2.000 s with priority 100, ' +
        'when d1 was (one advert interval allowed: 1000 ms).',
    )
    expect(verdict.measurements).toMatchObject([{ value: 5 }, { value: 3 }])
    expect(verdict.proof.map(event => event.t)).toEqual([2000, 3000])
    const old = judge([...moved, advert(9000, 'd1')])
    expect(old.proof.map(event => [event.kind, event.t])).toEqual([
      ['address', 5000],
      ['advert', 9000],
    ])
  })

  it('fail when somebody sends who is no director of it', () => {
    const { node: _, ...stranger } = { ...advert(2000, 'd1'), source: '10.0.0.77' }
    expect(judge([...start, stranger])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('came from 10.0.0.77, no director of it;'),
    })
    expect(judge([...start, { ...advert(2000, 'd9') }]).reason).toContain('came from d9, no director of it')
  })

  it('may run ahead of the VIP or behind it by one interval, and by what scheduling takes', () => {
    const at = (t: number, node: string, slackMs = 0) => judge([...moved, advert(t, node)], { slackMs }).outcome
    expect([at(5000, 'd2'), at(4999, 'd2'), at(4999, 'd2', 1)]).toEqual(['PASS', 'FAIL', 'PASS'])
    expect([at(6000, 'd1'), at(6001, 'd1'), at(6001, 'd1', 1)]).toEqual(['PASS', 'FAIL', 'PASS'])
  })

  it('say goodbye only from who was MASTER', () => {
    expect(judge([...moved, advert(5010, 'd1', 0)]).outcome).toBe('PASS')
    expect(judge([...moved, advert(5999, 'd2', 0)])).toMatchObject({
      outcome: 'FAIL',
      reason: expect.stringContaining('with priority 0'),
    })
    expect(judge([...moved, advert(5999, 'd2', 0)], { slackMs: 1 }).outcome).toBe('PASS')
  })

  it('of two that both hold the VIP, as in a partition, are both of a MASTER', () => {
    expect(judge([...start, holds(6000, 'd2'), advert(8000, 'd1', 150), advert(8000, 'd2'), mark(9000)]).outcome).toBe(
      'PASS',
    )
  })

  it('of other virtual routers, networks and times are not looked at', () => {
    const wrong = advert(3000, 'd2')
    expect(judge([...start, { ...wrong, vrid: 52 }]).outcome).toBe('PASS')
    expect(judge([...start, { ...wrong, network: 'wan' }]).outcome).toBe('PASS')
    expect(judge([...start, wrong], { window: { from: 0, until: 2999 } }).outcome).toBe('PASS')
    expect(judge([...start, wrong, advert(3500, 'd1')], { window: { from: 3001, until: 9000 } }).outcome).toBe('PASS')
    expect(judge([...start, wrong], { window: { from: 3000, until: 3000 } }).outcome).toBe('FAIL')
  })
})

describe('the log', () => {
  const log = [transition(3000, 'd2', 'MASTER'), transition(8000, 'd2', 'BACKUP')]
  const sends = (t: number) => judge([...start, ...log, advert(t, 'd2')], { instance: 'VI_1' }).outcome

  it('makes a MASTER as well as the VIP does, until it says otherwise', () => {
    expect([sends(1999), sends(2000), sends(9000), sends(9001)]).toEqual(['FAIL', 'PASS', 'PASS', 'FAIL'])
    const twice = [transition(3000, 'd2', 'MASTER'), transition(4000, 'd2', 'MASTER'), transition(5000, 'd2', 'FAULT')]
    expect(judge([...start, ...twice, advert(6001, 'd2')], { instance: 'VI_1' }).outcome).toBe('FAIL')
    const again = [...log, transition(20_000, 'd2', 'MASTER')]
    expect(judge([...start, ...again, advert(30_000, 'd2')], { instance: 'VI_1' }).outcome).toBe('PASS')
    const first = [transition(0, 'd2', 'BACKUP'), transition(0, 'd1', 'MASTER')]
    expect(judge([...first, advert(30_000, 'd1')], { instance: 'VI_1' }).outcome).toBe('PASS')
    const both = [transition(0, 'd1', 'MASTER'), transition(10, 'd2', 'BACKUP'), advert(9000, 'd1')]
    expect(judge(both, { instance: 'VI_1' }).outcome).toBe('PASS')
  })

  it('counts of its own instance only, and where asked', () => {
    expect(judge([...start, ...log, advert(5000, 'd2')]).outcome).toBe('FAIL')
    expect(judge([...start, ...log, advert(5000, 'd2')], { instance: 'VI_2' }).outcome).toBe('FAIL')
  })
})

describe('says nothing', () => {
  it('of adverts before the recording had stated who held what', () => {
    const unstated = (...events: LabEvent[]) => checkSilentBackup(historyInTime(events), params)
    expect(unstated(advert(4999, 'd1'), holds(5000, 'd1'))).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('after it was known who held what address'),
    })
    const later = [advert(1000, 'd2'), advert(4999, 'd1'), holds(5000, 'd1'), advert(5000, 'd1')]
    expect(unstated(...later)).toMatchObject({ outcome: 'PASS', measurements: [{ value: 1 }, { value: 0 }] })
    // each director states its own
    const [d1, d2] = stated.map((event, n) => ({ ...event, t: 1000 + n * 500 }))
    const apart = [d1, d2, advert(1200, 'd1'), holds(1400, 'd1'), advert(1600, 'd1')] as LabEvent[]
    expect(unstated(...apart)).toMatchObject({ outcome: 'PASS', measurements: [{ value: 1 }, { value: 0 }] })
  })

  it('when no advert was captured', () => {
    expect(judge([holds(0, 'd1'), mark(9000)])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: 'No advert of VRID 51 was captured on lan.',
    })
  })

  it('when nobody is known to be MASTER', () => {
    expect(judge([advert(500, 'd1')])).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: expect.stringContaining('No director was ever seen to hold the VIP'),
    })
  })
})

it('reads lines of the log that report no state as nothing', () => {
  const line: LabEvent = { kind: 'keepalived', t: 100, node: 'd2', line: 'Opening file' }
  expect(judge([...start, line]).outcome).toBe('PASS')
  expect(judge([...start, line], { instance: 'VI_1' }).outcome).toBe('PASS')
})

it('shows where the VIP of the sender was, and who was MASTER then', () => {
  const other = { ...holds(6000, 'd1'), address: '10.0.0.101' } as LabEvent
  const verdict = judge([...moved, other, advert(9000, 'd1'), holds(9500, 'd1', 'remove')])
  expect(verdict.proof.map(event => event.t)).toEqual([5000, 9000])
  expect(verdict.reason).toContain(', when d2 was (')
  expect(judge([...moved, holds(8000, 'd2', 'remove'), advert(9500, 'd2')]).reason).not.toContain(', when')
  expect(verdict.measurements.map(({ name }) => name)).toEqual(['adverts', 'not of the MASTER'])
})
