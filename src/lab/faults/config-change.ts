import { z } from 'zod'
import { defineFault, type Target } from './fault.ts'
import { findKeepalived, keepalivedRuns, reloaded } from './keepalived.ts'
import { kept, sh } from './shell.ts'

/** Linux takes no longer word in a command line (MAX_ARG_STRLEN), and UTF-8 may need three bytes for a character. */
const text = z.string().max(40_000)

const params = z
  .strictObject({
    /** Absolute path in the node: `/etc/keepalived/conf.d/vip.conf`. */
    file: z.string().startsWith('/'),
    /** What the file has from now on... */
    content: text.optional(),
    /** ...or what is replaced in it, wherever it stands, and by what. */
    replace: z.tuple([text.min(1), text]).optional(),
  })
  .refine(p => (p.content === undefined) !== (p.replace === undefined), 'either content or replace')

type Self = Target<z.output<typeof params>>

/** Writes the file anew. Nobody has read it before keepalived is told to. */
const change = ({ params: { file, content = '', replace } }: Self): string => {
  if (!replace) return sh`printf %s ${content} >${file}`
  const [from, to] = replace
  return sh`
    from=${from} to=${to} perl -0777 -i -pe '
      s/\Q$ENV{from}\E/$ENV{to}/g or die "$ARGV does not have what is to be replaced: $ENV{from}\n"' ${file} || exit 1`
}

/**
 * An operator's change: a file is written and keepalived reloads. What keepalived's own test does not take is refused with
 * keepalived's words, and the file is put back.
 */
export const configChange = defineFault({
  title: 'the configuration is changed on NODE',
  roles: ['director'],
  params,
  example: { file: '/etc/keepalived/keepalived.conf', replace: ['priority 100', 'priority 70'] },
  // what is written may be a password
  journaled: ({ file }) => ({ file }),
  restores: ({ file }) => file,
  inject: target => {
    const { file } = target.params
    const old = kept(target, 'file')
    const prepare = sh`
      [ -f ${file} ] || fail ${`there is no file ${file}`}
      cp -p ${file} ${old}`
    const test = sh`
      words=$(keepalived --config-test 2>&1) || {
        cp -p ${old} ${file}
        fail "keepalived refuses the new configuration: $words"
      }`
    return [
      {
        node: target.node.name,
        prepare: `${findKeepalived(target)}\n${prepare}\n${change(target)}\n${test}`,
        script: 'kill -HUP "$parent"',
        until: reloaded(target.node.name),
      },
    ]
  },
  heal: target => [
    {
      node: target.node.name,
      prepare: `${findKeepalived(target)}\n${sh`cp -p ${kept(target, 'file')} ${target.params.file}`}`,
      script: 'kill -HUP "$parent"',
      until: reloaded(target.node.name),
    },
  ],
  healed: target => [
    ...keepalivedRuns(target),
    { node: target.node.name, script: sh`cmp ${kept(target, 'file')} ${target.params.file} >&2` },
  ],
})
