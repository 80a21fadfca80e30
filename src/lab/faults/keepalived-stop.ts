import { startKeepalived, keepalivedFault } from './keepalived.ts'

/** TERM: keepalived sends an advertisement of priority 0, removes the VIP and its IPVS services. */
export const keepalivedStop = keepalivedFault('keepalived is stopped on NODE', `kill -TERM "$parent"`, startKeepalived)
