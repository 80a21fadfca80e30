import { LvslabError } from '../errors.ts'
import { historyOf } from '../history/history.ts'
import type { Topology } from '../topology/types.ts'
import { keepalivedFacts } from './keepalived.ts'
import type { LabSource } from './lab-source.ts'
import { ensureTemplate, forkLab, type LabTemplate, prepareEngine, type PrepareOptions } from './vm-labs.ts'

/** Labs on the embedded engine: one template for a topology, a fork for each lab. */
export const vmSource = (clock: PrepareOptions['clock']): LabSource => {
  let ready:
    | { engine: Awaited<ReturnType<typeof prepareEngine>>; template: LabTemplate; topology: Topology }
    | undefined
  let facts: Record<string, string> = { engine: 'vm' }
  return {
    get parallel() {
      // on the host's clock an emulated lab needs both of its processors; on its own clock, one is all that it has
      return ready?.engine.spec.clock === 'real' && ready.engine.spec.accelerator === 'tcg' ? 1 : 2
    },
    facts: () => facts,
    prepare: async (topology, readiness, options) => {
      const engine = await prepareEngine({ clock, ...options }, topology)
      const { accelerator, clock: is } = engine.spec
      const versions = { ...engine.build.versions, ...keepalivedFacts(topology) }
      facts = { engine: 'vm', ...versions, accelerator: `${accelerator} (${engine.why})`, clock: is }
      ready = { engine, template: await ensureTemplate(engine, topology, readiness, options), topology }
      return historyOf(ready.template.manifest.events)
    },
    open: (name, options) => {
      if (!ready) throw new LvslabError('LAB_NOT_PREPARED', 'open() before prepare()')
      return forkLab(ready.engine, ready.template, ready.topology, name, options)
    },
    // every fork ends by itself, and the template is for the next run
    async [Symbol.asyncDispose]() {},
  }
}
