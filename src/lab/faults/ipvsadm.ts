import { z } from 'zod'
import { defineFault } from './fault.ts'
import { kept, sh } from './shell.ts'

/** Edits of the table: what else ipvsadm does, to timeouts, counters and the daemons, is not in what it saves, and could not be healed. */
const EDITS =
  '-A -E -D -C -a -e -d --add-service --edit-service --delete-service --clear --add-server --edit-server --delete-server'.split(
    ' ',
  )

/**
 * An edit of the IPVS table by hand, past keepalived. The heal takes back the difference between the table as it was before
 * and as it is then, whoever made it; entries that are the same keep their connections.
 */
export const ipvsadm = defineFault({
  title: 'the IPVS table is edited by hand on NODE',
  roles: ['director'],
  params: z.strictObject({
    /** Of ipvsadm(8): `['-d', '-t', '10.0.0.100:80', '-r', '10.0.0.10']`. */
    args: z
      .array(z.string())
      .refine(([command = '']) => EDITS.includes(command), `the first word is none of ${EDITS.join(', ')}`),
  }),
  restores: () => 'the table',
  example: { args: ['-d', '-t', '10.0.0.100:80', '-r', '10.0.0.10'] },
  inject: target => [
    {
      node: target.node.name,
      prepare: sh`ipvsadm-save -n >${kept(target, 'table')}`,
      script: sh`ipvsadm ${target.params.args}`,
    },
  ],
  heal: target => [
    {
      node: target.node.name,
      prepare: sh`/usr/lib/lvslab/ipvs-difference ${kept(target, 'table')} >${kept(target, 'difference')}`,
      script: sh`[ ! -s ${kept(target, 'difference')} ] || ipvsadm -R <${kept(target, 'difference')}`,
    },
  ],
  healed: target => [
    {
      node: target.node.name,
      script: sh`/usr/lib/lvslab/ipvs-difference ${kept(target, 'table')} | if grep . >&2; then exit 1; fi`,
    },
  ],
})
