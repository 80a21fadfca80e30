import type { Notice, VrrpAuthentication, VrrpState } from '../../model/types.ts'
import { ipVersion } from './address.ts'
import { keyword, type Statement } from './parse.ts'
import { all, argument, duration, last, note } from './values.ts'

/** `version 2|3` of an instance, or `vrrp_version` of global_defs. */
export const readVersion = (block: Statement[], notices: Notice[]): 2 | 3 | undefined => {
  const line = last(block, 'version', 'vrrp_version')
  if (!line) return undefined
  const version = argument(line)
  if (version === '2') return 2
  if (version === '3') return 3
  note(notices, line, `${keyword(line)} ${version} is neither 2 nor 3; keepalived ignores the line`)
  return undefined
}

/** `state`; undefined where none is written. */
export const readState = (block: Statement[], notices: Notice[]): VrrpState | undefined => {
  let state: VrrpState | undefined
  for (const line of all(block, 'state')) {
    const word = argument(line)
    if (word === 'MASTER') state = 'MASTER'
    else if (word !== 'BACKUP') {
      note(notices, line, `state ${word} is neither MASTER nor BACKUP; keepalived takes BACKUP`)
      state = 'BACKUP'
    } else if (state === 'MASTER') note(notices, line, 'state was MASTER before; keepalived ignores this BACKUP')
    else state = 'BACKUP'
  }
  return state
}

/** Version 2 knows whole seconds up to 255, version 3 hundredths up to 40.95 s; keepalived rounds and cuts. */
export const readAdvertInterval = (block: Statement[], version: 2 | 3, notices: Notice[]): number => {
  const line = last(block, 'advert_int')
  const range = { min: 0.01, max: 255, otherwise: 'ignores the line and takes 1 s', lenient: true }
  const asked = (line && duration(line, range, notices)) ?? 1000
  const step = version === 2 ? 1000 : 10
  const taken = Math.min(version === 2 ? 255_000 : 40_950, Math.max(step, Math.floor((asked + step / 2) / step) * step))
  if (line && taken !== asked)
    note(
      notices,
      line,
      `advert_int ${argument(line)} does not fit VRRP version ${version}; keepalived takes ${taken / 1000} s`,
    )
  return taken
}

/** `nopreempt` and `preempt_delay`, which keepalived clears where they cannot work. */
export const readPreemption = (
  block: Statement[],
  state: VrrpState,
  owner: boolean,
  strict: boolean,
  notices: Notice[],
): { preempt: boolean; preemptDelay: number } => {
  const line = last(block, 'nopreempt', 'preempt')
  let preempt = line === undefined || keyword(line) === 'preempt'
  if (line && !preempt && (owner || state === 'MASTER')) {
    note(notices, line, `nopreempt does not work with ${owner ? 'priority 255' : 'state MASTER'}; keepalived clears it`)
    preempt = true
  }
  const delay = last(block, 'preempt_delay')
  let preemptDelay =
    (delay && duration(delay, { min: 0, max: 1000, otherwise: 'takes 0', lenient: true }, notices)) ?? 0
  const against = state === 'MASTER' ? 'state MASTER' : strict ? 'strict mode' : preempt ? undefined : 'nopreempt'
  if (delay && preemptDelay > 0 && against) {
    note(notices, delay, `preempt_delay does not work with ${against}; keepalived takes 0`)
    preemptDelay = 0
  }
  return { preempt, preemptDelay }
}

/** The secret is kept for comparing; no notice may carry it. */
export const readAuthentication = (
  block: Statement[],
  version: 2 | 3,
  strict: boolean,
  notices: Notice[],
): VrrpAuthentication | undefined => {
  const statement = last(block, 'authentication')
  if (!statement) return undefined
  const inner = statement.block ?? []
  const typeLine = last(inner, 'auth_type')
  const passLine = last(inner, 'auth_pass')
  const type = typeLine && argument(typeLine)
  if (type !== 'PASS' && type !== 'AH') {
    const what = typeLine ? 'auth_type is neither PASS nor AH' : 'there is no auth_type'
    note(notices, typeLine ?? statement, `${what}; keepalived goes without authentication`)
    return undefined
  }
  if (!passLine?.words[1]) {
    note(notices, statement, 'there is no auth_pass; keepalived goes without authentication')
    return undefined
  }
  if (version === 3 || strict) {
    const why = strict ? 'strict mode has no authentication' : 'VRRP version 3 has no authentication'
    note(notices, statement, `${why}; keepalived ignores this block`)
    return undefined
  }
  const secret = passLine.words[1].text
  if (Buffer.byteLength(secret) > 8)
    note(notices, passLine, 'auth_pass is longer than 8 characters; keepalived uses the first 8')
  return { type, secret: Buffer.from(secret).subarray(0, 8).toString(), at: passLine.at }
}

/** The lines of a `unicast_peer` block; what follows a `/` is not looked at (lib/utils.c `inet_stosockaddr`). */
export const readPeers = (blocks: Statement[], family: number, notices: Notice[]): string[] =>
  blocks
    .flatMap(block => block.block ?? [])
    .flatMap(line => {
      const peer = keyword(line).replace(/\/.*/s, '')
      if (ipVersion(peer) === family) return [peer]
      if (ipVersion(peer) !== 0) {
        note(notices, line, `${peer} is not of the family of the VIPs; keepalived leaves this peer out`)
        return []
      }
      note(notices, line, `${keyword(line)} is not an address; keepalived leaves this peer out`)
      return []
    })
