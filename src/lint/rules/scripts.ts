import { statSync } from 'node:fs'
import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import { COMMANDS } from '../keywords.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'
import { everyStatement, globalsOf } from '../statements.ts'

/** The folder that an operator keeps beside the configuration; what stands elsewhere may come with the system. */
const OWN = '/etc/keepalived/'

interface Command {
  line: Statement
  path: string
}

/** A line that stands outside of every block is run by nobody, and neither is a script that nobody tracks. */
const commandsOf = ({ statements }: Director): Command[] => {
  const tracked = new Set(
    everyStatement(statements)
      .filter(one => keyword(one) === 'track_script')
      .flatMap(one => (one.block ?? []).map(keyword)),
  )
  return statements
    .filter(one => keyword(one) !== 'vrrp_script' || tracked.has(one.words[1]?.text ?? ''))
    .flatMap(one => everyStatement(one.block ?? []))
    .filter(statement => COMMANDS.includes(keyword(statement)))
    .map(line => ({ line, path: line.words[1]?.text.trim().split(/\s/)[0] ?? '' }))
    .filter(({ path }) => path !== '')
}

const eachCommand =
  (judge: (command: Command, file: string | undefined) => string | undefined) =>
  ({ directors }: LintInput): Found[] =>
    directors.flatMap(director =>
      commandsOf(director).flatMap(command => {
        const message = judge(command, director.fileOf(command.path))
        return message === undefined ? [] : [{ at: command.line.words[1]?.at ?? command.line.at, message }]
      }),
    )

const unusable = (path: string, file: string | undefined): string | undefined => {
  if (!path.startsWith('/')) return undefined // looked for in PATH
  const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
  if (file !== undefined && !stat && path.startsWith(OWN)) return 'does not exist'
  return stat?.isFile() && (stat.mode & 0o111) === 0 ? 'is not executable' : undefined
}

const isTracked = ({ line }: Command): boolean => keyword(line) === 'script'

const trackedUnusable = eachCommand((command, file) => {
  const why = isTracked(command) ? unusable(command.path, file) : undefined
  return why === undefined ? undefined : `${command.path} ${why}; keepalived does not track it`
})

const otherUnusable = eachCommand((command, file) => {
  const why = isTracked(command) ? undefined : unusable(command.path, file)
  return why === undefined ? undefined : `${command.path} ${why}; keepalived disables it`
})

/** Scripts of which it is not known that keepalived disables them. */
const insecure = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const first = commandsOf(director).find(({ path }) => unusable(path, director.fileOf(path)) === undefined)
    const globals = globalsOf(director).map(keyword)
    const lacking = ['enable_script_security', 'script_user'].filter(word => !globals.includes(word))
    if (!first || lacking.length === 0) return []
    return [
      {
        at: first.line.at,
        message: `${director.name} runs scripts, and global_defs has no ${lacking.join(' and no ')}`,
      },
    ]
  })

/** Blocks that must say what they look at. */
const LOOKS_AT: Record<string, string> = { vrrp_track_process: 'process', track_file: 'file', vrrp_track_file: 'file' }

const trackEmpty = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements }) =>
    statements.flatMap(({ at, words, block }) => {
      const [{ text }, name] = words
      const what = Object.hasOwn(LOOKS_AT, text) ? LOOKS_AT[text] : undefined
      if (what === undefined || !block || block.some(line => keyword(line) === what)) return []
      return [{ at, message: `${text} ${name?.text ?? ''} has no ${what}; keepalived leaves it out` }]
    }),
  )

/** What a check of a real server names must stand before it, unlike what a vrrp_instance tracks. */
const NAMES: Record<string, { line: string; blocks: string[] }> = {
  FILE_CHECK: { line: 'track_file', blocks: ['track_file', 'vrrp_track_file'] },
  BFD_CHECK: { line: 'name', blocks: ['bfd_instance'] },
}

const nameUnknown = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements }) =>
    statements.flatMap((outer, index) =>
      everyStatement(outer.block ?? []).flatMap(check => {
        const word = keyword(check)
        const rule = Object.hasOwn(NAMES, word) ? NAMES[word] : undefined
        const line = rule && check.block?.find(one => keyword(one) === rule.line)
        const name = line?.words[1]
        if (!rule || !name) return []
        const before = statements.slice(0, index).filter(one => rule.blocks.includes(keyword(one)))
        if (before.some(one => one.words[1]?.text === name.text)) return []
        const message = `there is no ${rule.blocks[0]} ${name.text} before it; keepalived leaves the ${word} out`
        return [{ at: name.at, message }]
      }),
    ),
  )

export const scriptRules: Rule[] = [
  {
    code: 'track-empty',
    severity: 'error',
    rejected: true,
    title: 'A block of something to track that does not say what',
    why: 'keepalived leaves it out, and nothing is tracked (vrrp_parser.c vrrp_tprocess_end_handler, track_file.c).',
    remedy: 'Write process (vrrp_track_process) or file (track_file).',
    check: trackEmpty,
  },
  {
    code: 'name-unknown',
    severity: 'error',
    rejected: true,
    title: 'A check of something that is not defined before it',
    why: 'keepalived looks the name of a FILE_CHECK or a BFD_CHECK up while it reads, and leaves the check out (check_file.c, check_bfd.c).',
    remedy: 'Write the track_file or bfd_instance block before the virtual_server.',
    check: nameUnknown,
  },
  {
    code: 'track-script-unusable',
    severity: 'error',
    rejected: true,
    title: 'A tracked script that does not exist or cannot be run',
    why: 'keepalived tracks nothing then (vrrp.c check_track_script_secure). Told of files below /etc/keepalived, where a folder was given.',
    remedy: 'Put the file beside the configuration, at the path that it has on the node, and chmod a+x it.',
    check: trackedUnusable,
  },
  {
    code: 'script-unusable',
    severity: 'error',
    rejected: false,
    title: 'A notify or check script that does not exist or cannot be run',
    why: 'keepalived disables it with a line in its log (lib/notify.c check_script_secure). Told of files below /etc/keepalived, where a folder was given.',
    remedy: 'Put the file beside the configuration, at the path that it has on the node, and chmod a+x it.',
    check: otherUnusable,
  },
  {
    code: 'script-security',
    severity: 'warning',
    rejected: true,
    title: 'Scripts without script security',
    why: 'keepalived runs them as root whoever may write them, and its configuration test ends with SECURITY VIOLATION; without script_user it asks for a user keepalived_script, which a system may not have (vrrp.c, check_data.c, lib/notify.c).',
    remedy: 'Write enable_script_security and script_user into global_defs, and let nobody but root write the scripts.',
    check: insecure,
  },
]
