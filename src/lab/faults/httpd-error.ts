import { z } from 'zod'
import { defineFault } from './fault.ts'
import { configureHttpd, httpdRestored, restoreHttpd } from './httpd.ts'

/** Every request is answered at once, with an error. (httpd mod_alias, Redirect without a URL) */
export const httpdError = defineFault({
  title: 'httpd answers with an error on NODE',
  roles: ['realserver'],
  params: z.strictObject({
    /** HTTP status of every answer. */
    status: z.number().int().min(400).max(599).default(503),
  }),
  example: { status: 503 },
  inject: target => configureHttpd(target, `Redirect ${target.params.status} /`),
  heal: restoreHttpd,
  healed: httpdRestored,
})
