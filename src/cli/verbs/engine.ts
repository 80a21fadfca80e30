import { cacheDir } from '../../engine/cache.ts'
import { collectGarbage } from '../../engine/gc.ts'
import { findEngine } from '../../engine/vm/build.ts'
import { keptEngines } from '../../engine/vm/kept.ts'
import { cacheLimit, cacheUse } from '../../engine/vm/saved.ts'
import { prepareEngine } from '../../lab/vm-labs.ts'
import { clockOf, engineArguments } from '../engine-arguments.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0).padStart(6)} MB`

const build = defineVerb('Example: lvslab engine build', {
  meta: {
    name: 'build',
    description: 'Build the embedded engine and the role images ahead of the first lab.',
  },
  args: { clock: engineArguments.clock },
  run: ({ args }) =>
    runVerb(async ({ steps, signal }) => {
      const { build: built, spec, why } = await prepareEngine({ clock: clockOf(args.clock), steps, signal })
      process.stdout.write(`engine ${built.key} is ready: ${spec.accelerator} (${why}), ${spec.clock} clock\n`)
      return 0
    }),
})

const info = defineVerb('Example: lvslab engine info', {
  meta: {
    name: 'info',
    description: 'What is in the cache: versions, sizes, labs that are up.',
  },
  args: { json: { type: 'boolean', description: 'print JSON' } },
  run: ({ args }) =>
    runVerb(async () => {
      const [engine, cache, kept] = await Promise.all([findEngine(), cacheUse(), keptEngines()])
      const labs = kept.map(({ dir, record }) => ({ lab: record.lab, folder: dir, port: record.port }))
      if (args.json) {
        const data = { folder: cacheDir(), limit: cacheLimit(), engine, cache, labs }
        process.stdout.write(`${JSON.stringify(data, null, 1)}\n`)
        return 0
      }
      process.stdout.write(`cache ${cacheDir()}, templates up to ${megabytes(cacheLimit()).trim()}\n`)
      if (!engine) process.stdout.write('the engine of this checkout is not built; lvslab engine build\n')
      for (const [name, version] of Object.entries(engine?.versions ?? {}))
        process.stdout.write(`  ${name} ${version}\n`)
      for (const use of cache) {
        process.stdout.write(`${megabytes(use.bytes)}  ${use.kind}/${use.key}  last used ${use.used.toISOString()}\n`)
      }
      for (const lab of labs) process.stdout.write(`lab ${lab.lab} is up, port ${lab.port}, ${lab.folder}\n`)
      return 0
    }),
})

const gc = defineVerb('Example: lvslab engine gc --all', {
  meta: {
    name: 'gc',
    description:
      'Remove what nobody needs: leftovers of killed runs, templates over the limit, packages of other locks.',
  },
  args: {
    all: { type: 'boolean', description: 'also engines, images and templates that this checkout does not use' },
    json: { type: 'boolean', description: 'print JSON' },
  },
  run: ({ args }) =>
    runVerb(async ({ signal }) => {
      const { removed, kept } = await collectGarbage({ all: args.all ?? false, signal })
      if (args.json) process.stdout.write(`${JSON.stringify({ removed, kept }, null, 1)}\n`)
      else {
        for (const { what, bytes } of removed) process.stdout.write(`${megabytes(bytes)}  removed ${what}\n`)
        for (const { what, bytes, why } of kept) process.stdout.write(`${megabytes(bytes)}  kept ${what}: ${why}\n`)
        const freed = removed.reduce((sum, { bytes }) => sum + bytes, 0)
        process.stdout.write(`${removed.length} removed, ${megabytes(freed).trim()} freed\n`)
      }
      return 0
    }),
})

export const engineCommand = defineVerb('Example: lvslab engine info', {
  meta: {
    name: 'engine',
    description: 'The embedded engine: build it, look at it, clean up after it.',
  },
  subCommands: { build, info, gc },
})
