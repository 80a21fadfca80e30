import { z } from 'zod'
import { defineFault } from './fault.ts'
import { FIND_HTTPD, httpdRuns, startHttpd } from './httpd.ts'

/** Every process of the web server killed, the parent first; its port then refuses connections. */
export const httpdCrash = defineFault({
  title: 'httpd crashes on NODE',
  roles: ['realserver'],
  params: z.strictObject({}),
  example: {},
  inject: ({ node }) => [{ node: node.name, prepare: FIND_HTTPD, script: 'kill -KILL $all' }],
  heal: startHttpd,
  healed: httpdRuns,
})
