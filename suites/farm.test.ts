import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import { largePair } from '../scripts/large-pair.ts'
import { deriveFrom } from '../src/derive/read.ts'
import { writeDraft } from '../src/derive/write.ts'
import { eventsOf, sharesOf } from '../src/history/queries.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'

/** Ten services with four real servers each, as plain files: forty real servers on four farms, checked often to be quick. */
const folder = await mkdtemp(path.join(os.tmpdir(), 'lvslab-farm-'))
afterAll(() => rm(folder, { recursive: true }))
const dir = path.join(folder, 'lab')
for (const [node, text] of Object.entries(largePair({ services: 10, servers: 4, seed: 1 }))) {
  await mkdir(path.join(folder, 'farm', node), { recursive: true })
  await writeFile(
    path.join(folder, 'farm', node, 'keepalived.conf'),
    text.replaceAll(/delay_loop \d+/g, 'delay_loop 3'),
  )
}
const { draft, directors } = deriveFrom(path.join(folder, 'farm'))
await writeDraft(draft, directors, dir)

const test = labTest(dir)

describe('forty real servers on four farms', () => {
  const scenarios = planScenarios(planTopology(loadTopology(dir)))
  // a failover does not know of farms
  for (const scenario of scenarios.filter(({ name }) => name === 'shares-of-all' || name.startsWith('servers-of'))) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }

  test('its probes have become fast before its directors began with their health checks', ({ lab }) => {
    const watched = eventsOf(lab.history, 'address').find(({ node }) => node === 'c1')
    const begun = eventsOf(lab.history, 'keepalived')[0]
    expect((begun?.t ?? 0) - (watched?.t ?? 0)).toBeGreaterThan(1000)
  })

  test('one of a farm refuses, and the others of it answer', async ({ lab, plan }) => {
    const [one, other] = plan.services.map(({ port }, n) => ({ address: `10.20.${n + 1}.1`, port }))
    if (!one || !other) throw new Error('the pair has two services at least')
    const ask = async (probe: string, { address, port }: typeof one): Promise<Record<string, number>> => {
      const asking = await lab.http({ probe, client: 'c1', url: `http://${address}:${port}/`, rate: 20, count: 5 })
      await asking.ended()
      return sharesOf(lab.history, probe)
    }
    const heal = await lab.inject('httpd-refuse', 'farm1', { addresses: [one.address] })
    expect(await ask('refused', one)).toEqual({})
    expect(await ask('beside', other)).toEqual({ [other.address]: 5 })
    await heal()
    expect(await ask('healed', one)).toEqual({ [one.address]: 5 })
  })
})
