import { byItself, keepalivedFault, reloaded } from './keepalived.ts'

/** HUP: keepalived reads its configuration again, which is what it was. */
export const keepalivedReload = keepalivedFault(
  'keepalived reloads its configuration on NODE',
  'kill -HUP "$parent"',
  byItself,
  { until: reloaded },
)
