import type { RunReport } from './run.ts'

/** `run.json`: the report as it is, indented, with a line feed at its end. */
export const formatJson = (report: RunReport): string => `${JSON.stringify(report, undefined, 2)}\n`
