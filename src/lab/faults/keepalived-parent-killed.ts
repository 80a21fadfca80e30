import { startKeepalived, keepalivedFault } from './keepalived.ts'

/**
 * KILL for the parent alone. The children have asked the kernel for TERM when it dies (PR_SET_PDEATHSIG, keepalived
 * vrrp_daemon.c and check_daemon.c) and tidy up, so this is a clean stop.
 */
export const keepalivedParentKilled = keepalivedFault(
  'the parent process of keepalived is killed on NODE',
  `kill -KILL "$parent"`,
  startKeepalived,
)
