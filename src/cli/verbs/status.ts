import { keptEngines, openKept } from '../../engine/vm/kept.ts'
import { eventsOf } from '../../history/queries.ts'
import { openLab } from '../../lab/lab.ts'
import { formatIpvs } from '../../report/describe.ts'
import { loadTopology } from '../../topology/load.ts'
import { planTopology } from '../../verify/plan.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'

/** What a kept lab looks like now. */
const look = async (kept: Awaited<ReturnType<typeof keptEngines>>[number]) => {
  const topology = loadTopology(kept.record.topology)
  await using engine = await openKept(kept)
  await using lab = await openLab(engine, topology, topology.name, { was: 'running' })
  await lab.now() // what the snapshot found has arrived before this answer
  const holders = eventsOf(lab.history, 'address')
  const { directors, vips, fixedVips } = planTopology(topology)
  return {
    lab: topology.name,
    folder: kept.dir,
    engine: engine.environment['DOCKER_HOST'],
    vips: [...vips, ...fixedVips].map(({ address }) => ({
      address,
      on: holders.filter(h => h.address === address && directors.includes(h.node)).map(h => h.node),
    })),
    tables: eventsOf(lab.history, 'ipvs').map(({ node, services }) => ({ node, services })),
  }
}

export const statusCommand = defineVerb('Example: lvslab status', {
  meta: {
    name: 'status',
    description: 'The labs that are up: who holds each VIP, and the IPVS tables.',
  },
  args: { json: { type: 'boolean', description: 'print JSON' } },
  run: ({ args }) =>
    runVerb(async () => {
      const labs = await Promise.all((await keptEngines()).map(look))
      if (args.json) process.stdout.write(`${JSON.stringify(labs, null, 1)}\n`)
      else if (labs.length === 0) process.stdout.write('no lab is up; lvslab up topologies/keepalived-dr\n')
      for (const lab of args.json ? [] : labs) {
        process.stdout.write(`${lab.lab}  ${lab.engine}  ${lab.folder}\n`)
        for (const vip of lab.vips) process.stdout.write(`  ${vip.address} is on ${vip.on.join(' and ') || 'nobody'}\n`)
        for (const table of lab.tables) {
          process.stdout.write(`  ${table.node}:\n${formatIpvs(table.services).replace(/^/gm, '    ')}\n`)
        }
      }
      return 0
    }),
})
