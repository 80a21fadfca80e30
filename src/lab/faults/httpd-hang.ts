import { z } from 'zod'
import { defineFault } from './fault.ts'
import { FIND_HTTPD, httpdRuns, RUNS } from './httpd.ts'

/**
 * STOP for every process of the web server: the kernel goes on accepting connections, into the backlog of the listening
 * socket, and nobody ever answers on them.
 */
export const httpdHang = defineFault({
  title: 'httpd accepts connections on NODE and answers none',
  roles: ['realserver'],
  params: z.strictObject({}),
  example: {},
  // the heal of one would end both
  inject: ({ node }) => [{ node: node.name, prepare: `${FIND_HTTPD}\n${RUNS}`, script: 'kill -STOP $all' }],
  heal: ({ node }) => [{ node: node.name, prepare: FIND_HTTPD, script: 'kill -CONT $all' }],
  healed: httpdRuns,
})
