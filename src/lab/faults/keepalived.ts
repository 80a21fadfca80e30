import type { Fault } from './registry.ts'

const service =
  (action: string): Fault['inject'] =>
  node => [{ node, argv: ['/usr/lib/lvslab/service', 'keepalived', action] }]

/** TERM: keepalived sends an advertisement of priority 0, removes the VIP and its IPVS services. */
export const stop: Fault = {
  title: 'keepalived is stopped on NODE',
  inject: service('stop'),
  heal: service('start'),
}

/** Every process gone at once: the VIP and the IPVS table stay behind. */
export const crash: Fault = {
  title: 'keepalived crashes on NODE',
  inject: service('crash'),
  heal: service('start'),
}
