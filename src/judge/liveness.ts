import type { History } from '../history/history.ts'
import { type FaultInForce, faultsInForce } from '../history/faults.ts'
import type { Window } from '../history/queries.ts'

/**
 * Faults that leave a VIP behind where nobody attends to it any more. A keepalived that is stopped, or whose parent alone
 * is killed, takes its VIP with it (keepalived's children get SIGTERM when their parent dies, vrrp_daemon.c).
 */
export const STALE_FAULTS = ['keepalived-crash', 'keepalived-freeze', 'node-pause', 'node-kill']

/** Faults under which a director cannot hold a VIP: the stale ones, and those that make it give its VIP away. */
export const DOWN_FAULTS = [...STALE_FAULTS, 'keepalived-stop', 'keepalived-parent-killed', 'link-down', 'node-restart']

/** Faults in which two directors may be unable to hear one another, so that both rightly hold the VIP. */
export const SPLIT_FAULTS = ['partition', 'vrrp-block']

/** When any of the faults was in force on a node, up to the end of the recording. */
export const timesOf = (history: History, node: string, faults: readonly string[], end: number): Window[] =>
  faultsInForce(history, faults, node).map(({ from, until }) => ({ from, until: until ?? end }))

/** What is left of a stretch of time without others. */
export const without = (window: Window, others: Window[]): Window[] =>
  others
    .reduce(
      (pieces, other) =>
        pieces.flatMap(piece => [
          { from: piece.from, until: Math.min(piece.until, other.from) },
          { from: Math.max(piece.from, other.until), until: piece.until },
        ]),
      [window],
    )
    .filter(piece => piece.until > piece.from)

/**
 * Whether a fault keeps two directors apart: a `partition` those on its node's side (`with`) from those on the other (`from`,
 * or everybody else), a `vrrp-block` its node from its `peer`, or from everybody.
 */
export const separates = ({ fault: { fault, node, params = {} } }: FaultInForce, a: string, b: string): boolean => {
  const near = [node, ...(fault === 'partition' ? (names(params.with) ?? []) : [])]
  const far = fault === 'partition' ? names(params.from) : names(params.peer)
  const isFar = (name: string): boolean => (far ? far.includes(name) : !near.includes(name))
  return (near.includes(a) && isFar(b)) || (near.includes(b) && isFar(a))
}

const names = (value: unknown): string[] | undefined =>
  typeof value === 'string' ? [value] : Array.isArray(value) ? value.map(String) : undefined

/** The groups of nodes that are still in touch with one another. */
export const sides = (nodes: string[], partitions: FaultInForce[]): string[][] => {
  const groups: string[][] = []
  for (const node of nodes) {
    const near = groups.filter(group => group.some(one => !partitions.some(fault => separates(fault, one, node))))
    const far = groups.filter(group => !near.includes(group))
    groups.splice(0, groups.length, ...far, [...near.flat(), node])
  }
  return groups.map(group => group.toSorted())
}
