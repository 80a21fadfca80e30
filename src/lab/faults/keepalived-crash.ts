import { keepalivedFault, startKeepalived } from './keepalived.ts'

/**
 * Every process gone, with no chance to tidy up: the VIP and the IPVS table stay behind. The children have asked the kernel
 * for TERM when their parent dies: so the parent is frozen first, which lets it start none anew, and dies last.
 */
export const keepalivedCrash = keepalivedFault(
  'keepalived crashes on NODE',
  'kill -STOP "$parent"; kill -KILL $children; kill -KILL "$parent"',
  startKeepalived,
)
