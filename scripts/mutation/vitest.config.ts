import { defineConfig } from 'vitest/config'

/** The unit tests that can tell a mutant of src/judge from the original; the suites boot labs. */
export default defineConfig({ test: { include: ['src/judge/*.test.ts', 'src/history/*.test.ts'] } })
