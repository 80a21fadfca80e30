import type { z } from 'zod'

import { hint } from './did-you-mean.ts'
import { keysAt } from './schema.ts'
import type { Path, YamlSource } from './source.ts'

const NAME_OF_KEY: Record<string, string> = {
  networks: 'network name',
  nodes: 'node name',
  interfaces: 'interface name',
  sysctls: 'sysctl',
}

const TYPES: Record<string, string> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
}

/** A value as messages show it: quoted, and cut where it is long. */
export const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

const at = (data: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step], data)

const typeOf = (value: unknown): string => {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a mapping' : show(value)
}

/** `loopback[0]`, `address`: the key that a person sees on the line. */
const nameOf = (path: Path): string => {
  const last = path.at(-1)
  if (last === undefined) return 'a topology'
  return typeof last === 'number' ? `${String(path.at(-2))}[${last}]` : String(last)
}

/** Records one finding of the schema in the words of topology.yaml, at the place that it is about. */
export const reportIssue = (source: YamlSource, issue: z.core.$ZodIssue): void => {
  const { path } = issue
  const value = at(source.data, path)
  const name = nameOf(path)
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path)
    for (const key of issue.keys) {
      source.report([...path, key], `unknown key "${key}"${hint(key, known, 'keys here')}`, 'key')
    }
    return
  }
  if (issue.code === 'invalid_key') {
    const what = NAME_OF_KEY[String(path.at(-2))] ?? 'key'
    source.report(path, `${what} ${show(path.at(-1))} ${issue.issues[0]?.message ?? issue.message}`, 'key')
    return
  }
  if (value === undefined && path.length > 0) {
    source.report(path, `missing key "${name}"`)
    return
  }
  if (issue.code === 'invalid_value') {
    const options = issue.values.map(String)
    const near =
      typeof value === 'number' ? `; options: ${options.join(', ')}` : hint(String(value), options, 'options')
    source.report(path, `Invalid option ${show(value)} for ${name}${near}`)
    return
  }
  // what a number lacks to be the text that is wanted, the schema says better where it says anything: `gap: 3`
  const isTold = typeof value === 'number' && !issue.message.startsWith('Invalid input')
  if (issue.code === 'invalid_type' && !isTold && TYPES[issue.expected] && typeOf(value) !== TYPES[issue.expected]) {
    source.report(path, `${name} must be ${TYPES[issue.expected]}, not ${typeOf(value)}`)
    return
  }
  source.report(path, `${name} ${show(value)} ${issue.message}`)
}
