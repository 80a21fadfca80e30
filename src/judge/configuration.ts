import type { History } from '../history/history.ts'
import { eventsOf } from '../history/queries.ts'
import { inconclusive, inOrder } from './guard.ts'
import type { Verdict } from './verdict.ts'

export interface ConfigurationParams {
  director: string
  /** The command whose result is judged: `keepalived --config-test`. */
  command: string
}

/**
 * What keepalived says when it skips, resets or rejects what the configuration says (keepalived 2.3 lib/parser.c,
 * check/check_data.c, vrrp/vrrp_parser.c). Its exit code alone is not enough: an ignored line is a line that does not hold.
 */
const COMPLAINT =
  /unknown (keyword|state|option|scheduler)|\bignor(ed|ing)\b|\binvalid\b|not valid|unexpected|resetting|out of range|truncat|missing '[{}]'|unmatched|incorrect|no such file| - disabling\b|wrong file type|warning - script .+ is not used/i

/** What looks like a complaint and is not one; a tracked script that is not found fails the test itself, any other is none of VRRP's. */
const HARMLESS =
  /NOTICE: setting config option|SECURITY VIOLATION|Unable to load ipset|Registering|Cannot find script .* in path/

/** The director's own keepalived accepts the configuration, and neither its test nor its log says that it ignores a line. */
export const checkConfiguration = (history: History, { director, command }: ConfigurationParams): Verdict => {
  const test = eventsOf(history, 'command').findLast(event => event.node === director && event.command === command)
  if (!test) return inconclusive(`\`${command}\` was not run on ${director}.`)
  const complaints = test.output.split('\n').filter(isComplaint)
  const logged = eventsOf(history, 'keepalived').filter(event => event.node === director && isComplaint(event.line))
  const words = [...new Set([...complaints, ...logged.map(event => event.line)].map(line => line.trim()))]
  if (test.code !== 0 || words.length > 0) {
    const said = words.length > 0 ? words : test.output.trim().split('\n').slice(-3)
    const what =
      test.code === 0
        ? `keepalived on ${director} ignores part of its configuration`
        : `\`${command}\` ends with ${test.code} on ${director}`
    return {
      outcome: 'FAIL',
      reason: `${what}: ${said.map(line => line.replace(/\.$/, '')).join('; ') || 'without a word'}.`,
      measurements: [],
      proof: inOrder([test, ...logged]),
    }
  }
  if (test.truncated)
    return inconclusive(`\`${command}\` on ${director} said more than the journal keeps, and nothing wrong in that.`, [
      test,
    ])
  return {
    outcome: 'PASS',
    reason: `\`${command}\` ended with 0 on ${director}, and neither it nor the log says that a line is ignored.`,
    measurements: [],
    proof: [test],
  }
}

const isComplaint = (line: string): boolean => COMPLAINT.test(line) && !HARMLESS.test(line)
