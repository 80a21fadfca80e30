import { expect, it } from 'vitest'
import { historyOf } from '../history/history.ts'
import { loadTopology } from '../topology/load.ts'
import { silent } from '../engine/progress.ts'
import { aNode, aTopology } from '../topology/testing.ts'
import { borrow, dockerSource, portRange } from './docker-source.ts'
import type { Lab } from './lab.ts'

it('uses seven ranges of ports, one after the other, up to the last port there is', () => {
  expect([0, 1, 6, 7].map(portRange)).toEqual(['8192 16383', '16384 24575', '57344 65535', '8192 16383'])
})

it('has each use begin at a moment of its own, before which nothing can be asked for', async () => {
  const given = {
    ...{ topology: loadTopology('topologies/keepalived-dr'), origin: 0, snapshot: async () => 60_000 },
    ...{ exec: async () => ({ code: 0 }), at: (_t: number, step: () => Promise<unknown>) => step() },
  } as unknown as Lab
  const shared = { lab: given, convergence: historyOf(), listener: undefined, unfit: undefined, uses: 1 }
  const lab = await borrow(shared, 'second use', { readiness: [] }, () => {})
  expect(lab.origin).toBe(60_000)
  await expect(lab.at(59_999, async () => 'done')).rejects.toMatchObject({ code: 'LAB_MOMENT' })
  expect(await lab.at(60_001, async () => 'done')).toBe('done')
})

it('refuses a bridge before anything is made', async () => {
  const topology = aTopology([aNode({})], { networks: [{ name: 'lan', subnet: '10.0.0.0/24', driver: 'bridge' }] })
  await expect(dockerSource().prepare(topology, [], { steps: silent })).rejects.toMatchObject({ code: 'LAB_BRIDGE' })
})
