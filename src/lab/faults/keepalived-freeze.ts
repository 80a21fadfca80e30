import { findKeepalived, keepalivedFault, NOT_FROZEN } from './keepalived.ts'

/** STOP for every process: they fall silent, and wake up in the belief that nothing happened. */
export const keepalivedFreeze = keepalivedFault(
  'keepalived is frozen on NODE',
  'kill -STOP "$parent" $children',
  target => [{ node: target.node.name, prepare: findKeepalived(target), script: 'kill -CONT $children "$parent"' }],
  { check: NOT_FROZEN }, // the heal of one would end both
)
