import { expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { History } from '../history/history.ts'
import type { Lab } from './lab.ts'
import { type Readiness, waitReady } from './readiness.ts'
import { silent } from '../engine/progress.ts'

const said = (line: string): LabEvent => ({ kind: 'keepalived', t: 1, node: 'd1', line })
const chk: Readiness = {
  title: 'chk succeeds',
  condition: { kind: 'event', match: { kind: 'keepalived', line: 'VRRP_Script(chk) succeeded' } },
  deadlineMs: 1000,
  unlessSaid: { node: 'd1', begins: 'VRRP_Script(chk) ', line: 'VRRP_Script(chk) succeeded' },
}
const vip: Readiness = {
  title: 'the VIP is there',
  condition: { kind: 'address', node: 'd1', address: '10.0.0.100', present: true },
  deadlineMs: 1000,
}

/** What is waited for, in this order, where keepalived has said this; `comes` is whether it comes true. */
const waits = async (lines: string[], comes: (kind: string) => boolean): Promise<string[]> => {
  const history = new History()
  for (const line of lines) history.add(said(line))
  const asked: string[] = []
  const until: Lab['until'] = async ({ kind }) => {
    asked.push(kind)
    return comes(kind)
  }
  await waitReady({ history, until, now: async () => 2 } as Lab, [vip, chk], silent)
  return asked
}

it('waits for a script that failed last before all else, and does not insist', async () => {
  const failed = 'VRRP_Script(chk) failed (exited with status 1)'
  expect(await waits([failed], () => true)).toEqual(['event', 'address'])
  expect(await waits([failed], kind => kind === 'address')).toEqual(['event', 'address'])
  expect(await waits([failed, 'VRRP_Script(chk) succeeded'], () => true)).toEqual(['address'])
  expect(await waits([], () => true)).toEqual(['address'])
  await expect(waits([], () => false)).rejects.toThrow('not the VIP is there')
})
