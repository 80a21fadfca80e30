import { z } from 'zod'
import { defineFault, type Target } from './fault.ts'
import { kept, sh } from './shell.ts'

const params = z.strictObject({
  /** Absolute path in the node: `/etc/keepalived/check_haproxy.sh`. */
  script: z.string().startsWith('/'),
})

type Self = Target<z.output<typeof params>>

/** Beside the script, so that it takes its place at one stroke: nobody runs half a file. */
const next = ({ id, params: { script } }: Self): string => `${script}.${id}`

/**
 * A script of the operator's, as keepalived runs it again and again, says no: one that ends with 1 stands in its place. The path is for one
 * that nothing but keepalived runs.
 */
export const scriptFailure = defineFault({
  title: 'a script on NODE says no',
  params,
  example: { script: '/etc/keepalived/check_nginx.sh' },
  restores: ({ script }) => script,
  inject: target => {
    const { script } = target.params
    const prepare = sh`
      [ -f ${script} ] || fail ${`there is no file ${script}`}
      cp -p ${script} ${kept(target, 'script')}
      printf '#!/bin/sh\nexit 1\n' >${next(target)}
      chmod 755 ${next(target)}`
    return [{ node: target.node.name, prepare, script: sh`mv -f ${next(target)} ${script}` }]
  },
  heal: target => {
    const prepare = sh`cp -p ${kept(target, 'script')} ${next(target)}`
    return [{ node: target.node.name, prepare, script: sh`mv -f ${next(target)} ${target.params.script}` }]
  },
  healed: target => [{ node: target.node.name, script: sh`cmp ${kept(target, 'script')} ${target.params.script} >&2` }],
})
