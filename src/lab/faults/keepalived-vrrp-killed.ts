import { byItself, keepalivedFault } from './keepalived.ts'

/** KILL for the VRRP child alone: the parent starts another at once, and that one begins as BACKUP. */
export const keepalivedVrrpKilled = keepalivedFault(
  'the VRRP process of keepalived is killed on NODE',
  `[ -n "$vrrp" ] || fail "keepalived has no VRRP process"; kill -KILL "$vrrp"`,
  byItself,
)
