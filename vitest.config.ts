import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Whether a suite's nodes have packages of their own, by the topologies that it names. */
const installs = ({ moduleId }: TestSpecification): boolean =>
  [...readFileSync(moduleId, 'utf8').matchAll(/'((?:topologies|suites\/fixtures)\/[\w-]+)'/g)].some(([, dir]) => {
    try {
      return /^ *packages:/m.test(readFileSync(`${import.meta.dirname}/${dir}/topology.yaml`, 'utf8'))
    } catch {
      return false // it is made by the suite
    }
  })

/** Where nothing is in the cache, packages take minutes to install: beside the other suites, not after all of them. */
class PackagesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return [...sorted.filter(installs), ...sorted.filter(file => !installs(file))]
  }
}

/** Unit tests stand beside the source and boot nothing; suites run real labs, two files at a time. */
export default defineConfig({
  test: {
    sequence: { sequencer: PackagesFirst },
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'] } },
      {
        test: {
          name: 'suites',
          include: ['suites/**/*.test.ts'],
          // for what hangs: on the virtual clock a lab takes as long as a busy host lets it, and its own waits have deadlines
          testTimeout: 600_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
        },
      },
    ],
  },
})
