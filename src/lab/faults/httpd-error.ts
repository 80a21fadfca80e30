import { z } from 'zod'
import { defineFault } from './fault.ts'
import { configureHttpd, httpdRestored, restoreHttpd } from './httpd.ts'

/** The errors that httpd knows (modules/http/http_protocol.c, status_lines): with any other it answers 500. */
const STATUSES = [
  ...[400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417],
  ...[421, 422, 423, 424, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
]

/** Every request is answered at once, with an error. (httpd mod_alias, Redirect without a URL) */
export const httpdError = defineFault({
  title: 'httpd answers with an error on NODE',
  roles: ['realserver'],
  params: z.strictObject({
    /** HTTP status of every answer. */
    status: z.union(STATUSES.map(status => z.literal(status))).default(503),
  }),
  example: { status: 503 },
  inject: target => configureHttpd(target, `Redirect ${target.params.status} /`),
  heal: restoreHttpd,
  healed: httpdRestored,
})
