import type { ConnectionEvent, RequestEvent } from '../../history/event.ts'

/** What a probe has sent by its end. */
export interface Sent {
  sent: number
  /** Of these, sent more than `lateAfterMs` after they were due. */
  late: number
  lateAfterMs: number
}

/** Where a running probe puts what it sees. */
export interface ProbeHost {
  record(event: RequestEvent | ConnectionEvent): void
  /** The last thing that a probe says. */
  ended(sent: Sent): void
}

/** Has a probe send no more; it ends when what is under way has come to its end. */
export type StopProbe = () => void

/** The one of a list whose turn it is; undefined where there is no list. */
export const inTurn = <T>(list: T[] | undefined, n: number): T | undefined => list?.[n % list.length]

/** `10.0.0.100:7`, `[fd00::100]:7` as what sockets take. */
export const parseTarget = (target: string): { host: string; port: number } => {
  const [, host4, host6, port] = /^(?:([0-9.]+)|\[([0-9a-fA-F:.]+)\]):(\d+)$/.exec(target) ?? []
  const host = host4 ?? host6
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new Error(`${target} is no target: ADDRESS:PORT, like 10.0.0.100:7 or [fd00::100]:7`)
  return { host, port: Number(port) }
}
