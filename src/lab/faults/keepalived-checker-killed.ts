import { byItself, keepalivedFault } from './keepalived.ts'

/** KILL for the checker child alone: the parent starts another at once. VRRP does not notice. */
export const keepalivedCheckerKilled = keepalivedFault(
  'the checker process of keepalived is killed on NODE',
  `[ -n "$checkers" ] || fail "keepalived has no checker process"; kill -KILL "$checkers"`,
  byItself,
)
