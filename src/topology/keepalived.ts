import { type KeepalivedRelease, OWN_KEEPALIVED } from '../model/keepalived.ts'
import type { Topology } from './types.ts'

/** A topology whose directors run this keepalived: with that of the images it stays as it is. */
export const withKeepalived = (topology: Topology, keepalived: KeepalivedRelease): Topology =>
  keepalived === OWN_KEEPALIVED ? topology : { ...topology, keepalived }
