import type { Fault } from './registry.ts'

const service =
  (action: string): Fault['inject'] =>
  node => [{ node, argv: ['/usr/lib/lvslab/service', 'httpd', action] }]

/** The web server is asked to end; its port then refuses connections. */
export const stop: Fault = { title: 'httpd is stopped on NODE', inject: service('stop'), heal: service('start') }

/** Every process of the web server killed; its port then refuses connections. */
export const crash: Fault = { title: 'httpd crashes on NODE', inject: service('crash'), heal: service('start') }
