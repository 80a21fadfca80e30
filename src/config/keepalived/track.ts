import type { Notice, TrackedInterface, TrackedScript, TrackWeight, VrrpScript } from '../../model/types.ts'
import { keyword, type Statement } from './parse.ts'
import { all, argument, duration, integer, last, note } from './values.ts'

/**
 * The `vrrp_script` blocks (keepalived vrrp_parser.c `vrrp_vscript_*_handler`, vrrp_data.c `alloc_vrrp_script`). `weight`
 * in a script is the default for whoever tracks it, and is kept beside it.
 */
export interface ScriptDefinition extends VrrpScript, TrackWeight {}

export const readScripts = (statements: Statement[], notices: Notice[]): ScriptDefinition[] =>
  all(statements, 'vrrp_script').flatMap(statement => {
    const block = statement.block ?? []
    const name = argument(statement)
    const command = last(block, 'script')?.words[1]?.text
    if (!command) {
      note(notices, statement, `vrrp_script ${name} has no script; keepalived leaves it out`)
      return []
    }
    const lost = last(block, 'init_fail')
    if (lost)
      note(
        notices,
        lost,
        `init_fail of vrrp_script ${name} has no effect: keepalived forgets it where an instance tracks it`,
      )
    const time = (key: string): number | undefined => {
      const line = last(block, key)
      const ms =
        line && duration(line, { min: 0, max: 4_294_000, otherwise: 'ignores the line', lenient: true }, notices)
      if (line && ms === 0) note(notices, line, `${key} must be above 0; keepalived takes 1`)
      return ms === 0 ? 1000 : ms
    }
    const count = (key: string): number => {
      const line = last(block, key)
      return (line && integer(line, { min: 1, max: 2 ** 31 - 1, otherwise: 'takes 1', lenient: true }, notices)) ?? 1
    }
    const interval = time('interval') ?? 1000
    return [
      {
        name,
        command,
        interval,
        timeout: time('timeout') ?? interval,
        rise: count('rise'),
        fall: count('fall'),
        ...readWeight(last(block, 'weight')?.words.slice(1), last(block, 'weight'), 'ignores it', notices),
        at: statement.at,
      },
    ]
  })

/** `WEIGHT [reverse|noreverse]` after the keyword; 0 where keepalived does not take it. */
export const readWeight = (
  words: Statement['words'][number][] | undefined,
  line: Statement | undefined,
  otherwise: string,
  notices: Notice[],
  fallback: TrackWeight = { weight: 0, reverse: false },
): TrackWeight => {
  if (!line || !words?.[0]) return fallback
  const [first, option] = words
  const number = /^[+-]?\d+/.exec(first.text)?.[0]
  const weight = Number(number)
  if (number === undefined || Math.abs(weight) > 254) {
    note(notices, line, `weight ${first.text} is not a number from -253 to 253; keepalived ${otherwise}`)
    return fallback
  }
  const clamped = Math.max(-253, Math.min(253, weight))
  if (clamped !== weight) note(notices, line, `weight ${first.text} is out of range; keepalived takes ${clamped}`)
  const known = option === undefined || ['reverse', 'noreverse'].includes(option.text)
  if (!known) note(notices, line, `weight option ${option.text} is not known; keepalived ignores it`)
  // -0 would print as -0
  return { weight: clamped + 0, reverse: option && known ? option.text === 'reverse' : fallback.reverse }
}

/** A line `NAME [weight W [reverse]]` of a track block; undefined where keepalived leaves it out. */
export const readTracked = (
  line: Statement,
  instance: string,
  fallback: TrackWeight,
  notices: Notice[],
): TrackWeight | undefined => {
  const [, option, ...rest] = line.words
  if (option === undefined) return fallback
  if (option.text !== 'weight' || rest.length === 0) {
    note(notices, line, `${instance}: ${keyword(line)} ${option.text} is not "weight W"; keepalived leaves it out`)
    return undefined
  }
  return readWeight(rest, line, `takes ${fallback.weight}`, notices, fallback)
}

/** The `track_script` blocks of an instance (keepalived vrrp_track.c `alloc_track_script`). */
export const readTrackedScripts = (
  blocks: Statement[],
  scripts: ScriptDefinition[],
  instance: string,
  notices: Notice[],
): TrackedScript[] => {
  const tracked: TrackedScript[] = []
  const byName = new Map(scripts.toReversed().map(script => [script.name, script]))
  const seen = new Set<string>()
  for (const line of blocks.flatMap(block => block.block ?? [])) {
    const found = byName.get(keyword(line))
    if (!found) {
      note(notices, line, `${instance}: there is no vrrp_script ${keyword(line)}; keepalived ignores the line`)
      continue
    }
    if (seen.has(found.name)) {
      note(notices, line, `${instance} tracks ${found.name} already; keepalived ignores this line`)
      continue
    }
    const { weight, reverse, ...script } = found
    const taken = readTracked(line, instance, { weight, reverse }, notices)
    if (!taken) continue
    seen.add(found.name)
    tracked.push({ script, ...taken, at: line.at })
  }
  return tracked
}

/**
 * The `track_interface` blocks of an instance (keepalived vrrp_track.c `alloc_track_if`). Its own interface is tracked whatever is
 * written, or with `dont_track_primary` is not, so a line that names it is left out with its weight (vrrp.c
 * `vrrp_complete_instance`).
 */
export const readTrackedInterfaces = (
  blocks: Statement[],
  instance: { name: string; interface: string },
  notices: Notice[],
): TrackedInterface[] => {
  const tracked: TrackedInterface[] = []
  const seen = new Set<string>()
  for (const line of blocks.flatMap(block => block.block ?? [])) {
    const name = keyword(line)
    if (seen.has(name)) {
      note(notices, line, `${instance.name} tracks ${name} already; keepalived ignores this line`)
      continue
    }
    const taken = readTracked(line, instance.name, { weight: 0, reverse: false }, notices)
    if (!taken) continue
    seen.add(name)
    if (name === instance.interface) {
      const weight = taken.weight === 0 ? '' : ` with its weight ${taken.weight}`
      note(notices, line, `${name} is the interface of ${instance.name} itself; keepalived ignores the line${weight}`)
      continue
    }
    tracked.push({ interface: name, ...taken, at: line.at })
  }
  return tracked
}

/** Lines that name a script to be told of a change. */
export const NOTIFY = ['notify', 'notify_master', 'notify_backup', 'notify_fault', 'notify_stop', 'notify_deleted']

/** Says whom an instance tells of its changes. */
export const noteNotify = (block: Statement[], instance: string, notices: Notice[]): void => {
  const [notify] = all(block, ...NOTIFY)
  if (notify) note(notices, notify, `whether keepalived runs the notify scripts of ${instance} is not judged`)
}
