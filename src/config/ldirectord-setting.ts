import type { Position } from '../errors.ts'
import type { LdirectordSettings } from '../model/ldirectord.ts'
import { wordsOf } from './words.ts'

/** A line `name = value`. */
export interface Setting {
  name: string
  value: string
  at: Position
}

/** Says what is wrong where. */
export type Note = (at: Position, message: string) => void

export const quote = (line: string): string => `"${line.trim().slice(0, 60)}"`

export const readSetting = (line: string, at: Position): Setting | undefined => {
  const [, name, value = ''] = /^([a-z][a-z0-9]*)\s*(?:=\s*(.*))?$/.exec(line) ?? []
  return name === undefined || (!line.includes('=') && name !== 'supervised') ? undefined : { name, value, at }
}

export const lineOf = ({ name, value, at }: Setting): { words: string[]; at: Position } => ({
  words: [name, ...wordsOf(value, at.file, at.line).map(word => word.text)],
  at,
})

export const readFlag = ({ name, value, at }: Setting, note: Note): boolean | undefined => {
  if (value === 'yes' || value === 'no') return value === 'yes'
  note(at, `${name} is neither yes nor no; ldirectord does not start`)
  return undefined
}

/** The first digits count, whatever stands around them. */
export const readNumber = ({ name, value, at }: Setting, note: Note, least = 1): number | undefined => {
  const [digits] = /\d+/.exec(value) ?? []
  if (digits !== undefined && Number(digits) >= least) {
    if (digits !== value.trim()) note(at, `${name} = ${value} is not a number; ldirectord reads ${digits}`)
    return Number(digits)
  }
  note(at, `${name} = ${value} is not a number from ${least} on; ldirectord does not start`)
  return undefined
}

export const unquoted = ({ name, value, at }: Setting, note: Note): string | undefined => {
  const [, inner] = /^"(.*)"/.exec(value) ?? []
  if (inner !== undefined && (inner !== '' || name === 'logfile' || name === 'callback')) return inner
  note(at, `${name} needs a value in quotes; ldirectord does not start`)
  return undefined
}

/** Timing that may stand in a section and outside; false where the line is none of it. */
export const readCheckSetting = (setting: Setting, into: LdirectordSettings, note: Note): boolean => {
  const { name } = setting
  const put = <K extends keyof LdirectordSettings>(key: K, value: LdirectordSettings[K] | undefined): void => {
    if (value !== undefined) into[key] = value
  }
  const seconds = (): number | undefined => {
    const value = readNumber(setting, note)
    return value === undefined ? undefined : value * 1000
  }
  if (name === 'checktimeout') put('checkTimeout', seconds())
  else if (name === 'negotiatetimeout') put('negotiateTimeout', seconds())
  else if (name === 'checkinterval') put('interval', seconds())
  else if (name === 'failurecount') put('failureCount', readNumber(setting, note))
  else if (name === 'checkcount') put('checkCount', readNumber(setting, note))
  else if (name === 'quiescent') put('quiescent', readFlag(setting, note))
  else return false
  return true
}
