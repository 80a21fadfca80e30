import { expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { historyInTime } from './examples.ts'
import { checkTracked } from './tracked.ts'

const said = (t: number, line: string, node = 'd1'): LabEvent => ({ kind: 'keepalived', t, node, line })
const judge = (...events: LabEvent[]) =>
  checkTracked(historyInTime(events), {
    director: 'd1',
    scripts: ['chk', 'other'].map(name => ({ name, reverse: false })),
  })

it('passes where the last word on each script is that it succeeds, or there is none', () => {
  const failed = said(1, 'VRRP_Script(chk) failed (exited with status 1)')
  expect(judge(failed, said(2, 'VRRP_Script(chk) succeeded'))).toMatchObject({ outcome: 'PASS', proof: [{ t: 2 }] })
  expect(
    judge(said(1, 'VRRP_Script(chk2) failed (exited with status 1)'), said(1, 'VRRP_Script(chk) failed', 'd2')),
  ).toMatchObject({
    outcome: 'PASS',
  })
})

it('is inconclusive where one fails, with the words of keepalived', () => {
  const verdict = judge(
    said(1, 'VRRP_Script(chk) succeeded'),
    said(2, 'VRRP_Script(chk) failed (exited with status 7)'),
  )
  expect(verdict).toMatchObject({ outcome: 'INCONCLUSIVE', proof: [{ t: 2 }] })
  expect(verdict.reason).toContain('keepalived said on d1: VRRP_Script(chk) failed (exited with status 7).')
  expect(judge(said(1, 'VRRP_Script(other) timed out')).outcome).toBe('INCONCLUSIVE')
  expect(judge(said(1, 'VRRP_Script(chk) considered unsuccessful on reload')).outcome).toBe('INCONCLUSIVE')
})

it('is inconclusive where one succeeds that is tracked with reverse', () => {
  const judged = (line: string) =>
    checkTracked(historyInTime([said(1, line)]), { director: 'd1', scripts: [{ name: 'chk', reverse: true }] }).outcome
  expect(judged('VRRP_Script(chk) succeeded')).toBe('INCONCLUSIVE')
  expect(judged('VRRP_Script(chk) failed (exited with status 1)')).toBe('PASS')
})
