/** One row: a system, and the suites that show it. */
export interface System {
  /** Document that describes it. */
  document: string
  system: string
  /** Folder in topologies/. */
  topology: string
  /** Files in suites/, without `.test.ts`. */
  suites: string[]
  /** What is shown, in words. */
  shows: string
}

export interface SuiteResult {
  tests: number
  failed: number
  skipped: number
}

/** Results by suite, from the JUnit file that vitest writes. */
export const resultsOf = (xml: string): Map<string, SuiteResult> => {
  const found = new Map<string, SuiteResult>()
  for (const [, attributes = ''] of xml.matchAll(/<testsuite ([^>]*)>/g)) {
    const value = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? ''
    const suite = /^suites\/(.*)\.test\.ts$/.exec(value('name'))?.[1]
    if (suite === undefined) continue
    const failed = Number(value('failures')) + Number(value('errors'))
    found.set(suite, { tests: Number(value('tests')), failed, skipped: Number(value('skipped')) })
  }
  return found
}

/** The table in Markdown. What was not run says so; it is not passed. */
export const systemsTable = (systems: System[], results: Map<string, SuiteResult>): string => {
  const rows = systems.map(({ document, system, topology, suites, shows }) => {
    const files = suites.map(suite => `[${suite}](suites/${suite}.test.ts)`).join(', ')
    return [document, system, `[${topology}](topologies/${topology})`, `${shows} (${files})`, outcome(suites, results)]
  })
  const head = ['Document', 'System', 'Topology', 'What is shown', 'Last run']
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |\n`).join('')
}

const outcome = (suites: string[], results: Map<string, SuiteResult>): string => {
  const found = suites.flatMap(suite => results.get(suite) ?? [])
  if (found.length < suites.length) return 'not run'
  const sum = (key: keyof SuiteResult): number => found.reduce((total, one) => total + one[key], 0)
  const [failed, skipped] = [sum('failed'), sum('skipped')]
  const passed = sum('tests') - failed - skipped
  return [
    `${passed} passed`,
    ...(failed ? [`**${failed} failed**`] : []),
    ...(skipped ? [`${skipped} not run`] : []),
  ].join(', ')
}
