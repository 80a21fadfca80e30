/** Times that an operator may set limits for: the keys of `expect` in topology.yaml. */
export const LIMIT_NAMES = ['failover', 'gap', 'removal', 'return', 'sorry'] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

/** An operator's own limit, which stands beside what the configuration promises by itself. */
export interface Limit {
  name: LimitName
  /** ms */
  maxMs: number
  /** Where it was set: `topology.yaml:12`, `--max-gap`. */
  at: string
}
