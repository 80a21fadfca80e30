import { z } from 'zod'
import { defineFault } from './fault.ts'
import { FIND_HTTPD, httpdRuns, startHttpd } from './httpd.ts'

/** TERM: the web server is asked to end; its port then refuses connections. */
export const httpdStop = defineFault({
  title: 'httpd is stopped on NODE',
  roles: ['realserver'],
  params: z.strictObject({}),
  example: {},
  // pidwait ends with 1 where nothing is left to wait for
  inject: ({ node }) => [
    { node: node.name, prepare: FIND_HTTPD, script: 'kill -TERM "$parent"; pidwait -x apache2 || :' },
  ],
  heal: startHttpd,
  healed: httpdRuns,
})
