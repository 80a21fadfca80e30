import { defineConfig } from 'vitest/config'

/** Unit tests stand beside the source and boot nothing; suites run real labs, two files at a time. */
export default defineConfig({
  test: {
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
