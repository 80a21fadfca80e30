import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import { readScripts, readTrackedScripts } from '../../config/keepalived/track.ts'
import { all, last } from '../../config/keepalived/values.ts'
import { commandWords, typedWords } from '../../model/command.ts'
import type { TrackedScript } from '../../model/types.ts'
import { COMMANDS } from '../keywords.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'
import { everyStatement, globalsOf } from '../statements.ts'

/** The folder that an operator keeps beside the configuration; what stands elsewhere may come with the system. */
const OWN = '/etc/keepalived/'

interface Command {
  line: Statement
  path: string
  /** Who runs it, where it says so itself. */
  user: string | undefined
}

/** Lines that have a command and nothing else; behind all others stand the user and the group that run it. */
const ALONE = ['script', 'misc_path']

/** `user` beside `script` and `misc_path`; all others have it on their line. */
const userOf = (line: Statement, siblings: Statement[]): string | undefined =>
  ALONE.includes(keyword(line)) ? last(siblings, 'user')?.words[1]?.text : line.words[2]?.text

/**
 * A line that stands outside of every block is run by nobody, and a script to track is looked at where there is an instance, be
 * it tracked or not. `</path` opens a file, and runs nothing.
 */
const commandsOf = ({ statements }: Director): Command[] => {
  const hasInstance = all(statements, 'vrrp_instance').length > 0
  return statements
    .filter(one => keyword(one) !== 'vrrp_script' || hasInstance)
    .flatMap(one => everyStatement([one]))
    .flatMap(({ block = [] }) =>
      block
        .filter(line => COMMANDS.includes(keyword(line)))
        .map(line => ({
          line,
          path: commandWords(line.words[1]?.text ?? '')[0] ?? '',
          user: userOf(line, block),
        })),
    )
    .filter(({ path }) => path !== '' && !path.startsWith('<'))
}

const eachCommand =
  (judge: (command: Command, director: Director) => string | undefined) =>
  ({ directors }: LintInput): Found[] =>
    directors.flatMap(director =>
      commandsOf(director).flatMap(command => {
        const message = judge(command, director)
        return message === undefined ? [] : [{ at: command.line.words[1]?.at ?? command.line.at, message }]
      }),
    )

/** A file of a director, links followed; undefined where it is not known, or is not there. */
const statOf = ({ path }: Command, { fileOf }: Director): Stats | undefined => {
  const file = path.startsWith('/') ? fileOf(path) : undefined // others are looked for in PATH
  return file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
}

const missing = (command: Command, director: Director): string | undefined => {
  const { path } = command
  const stat = statOf(command, director)
  if (stat) return stat.isFile() || !path.startsWith(OWN) ? undefined : 'is no file'
  return path.startsWith(OWN) && director.fileOf(path) !== undefined ? 'does not exist' : undefined
}

const isExecutable = (stat: Stats): boolean => (stat.mode & 0o111) !== 0

const notExecutable = (command: Command, director: Director): string | undefined => {
  const stat = statOf(command, director)
  return stat?.isFile() && !isExecutable(stat) ? 'is not executable' : undefined
}

const isTracked = ({ line }: Command): boolean => keyword(line) === 'script'

const outcome = (command: Command): string =>
  isTracked(command) ? 'keepalived does not track it' : 'keepalived disables it'

const trackedMissing = eachCommand((command, director) => {
  const why = isTracked(command) ? missing(command, director) : undefined
  return why === undefined ? undefined : `${command.path} ${why}; ${outcome(command)}`
})

const otherUnusable = eachCommand((command, director) => {
  const why = (isTracked(command) ? undefined : missing(command, director)) ?? notExecutable(command, director)
  return why === undefined ? undefined : `${command.path} ${why}; ${outcome(command)}`
})

/** keepalived takes on the script's user to look in PATH, and may not take on its groups any more then (lib/notify.c find_path). */
const userWithoutPath = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const global = last(globalsOf(director), 'script_user')?.words[1]?.text
    return commandsOf(director).flatMap(command => {
      const { line, path, user = global } = command
      if (user === undefined || user === 'root' || path.includes('/')) return []
      const message = `keepalived does not find ${path} in PATH for the user ${user}; ${outcome(command)}`
      return [{ at: line.words[1]?.at ?? line.at, message }]
    })
  })

/** Folders that are links since distributions keep all of them in /usr: Debian 12, Red Hat 7 and later. */
const LINKED = ['/bin', '/sbin', '/lib', '/lib32', '/lib64']

/** Every folder on the way to a file. */
const foldersOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1, -1)
    .map((_, index, parts) => `/${parts.slice(0, index + 1).join('/')}`)

const lstatOf = (path: string, { fileOf }: Director): Stats | undefined => {
  const file = fileOf(path)
  return file === undefined ? undefined : lstatSync(file, { throwIfNoEntry: false })
}

const isOpen = (stat: Stats | undefined): boolean =>
  stat !== undefined &&
  (stat.mode & 0o002) !== 0 &&
  (stat.isFile() || (stat.isDirectory() && (stat.mode & 0o1000) === 0))

/** What of a script that root runs may be another's (lib/notify.c check_security). Whose the files of a copy are says nothing. */
const exposed = (command: Command, director: Director): { why: string; remedy: string } | undefined => {
  const { path } = command
  const globals = globalsOf(director)
  const user = command.user ?? last(globals, 'script_user')?.words[1]?.text
  if (user !== 'root' || !path.startsWith('/') || missing(command, director)) return undefined
  const stat = statOf(command, director)
  if (stat && !isExecutable(stat)) return undefined
  const folders = foldersOf(path)
  const link = folders.find(folder => {
    const found = lstatOf(folder, director)
    return found ? found.isSymbolicLink() : LINKED.includes(folder)
  })
  if (link !== undefined) {
    const plain = LINKED.includes(link) ? `/usr${path}` : 'the path that the link leads to'
    return { why: `is reached through the link ${link}`, remedy: `write ${plain}` }
  }
  const isSecure = all(globals, 'enable_script_security').length > 0
  const open = isSecure ? [...folders, path].find(one => isOpen(lstatOf(one, director))) : undefined
  if (open !== undefined)
    return {
      why: open === path ? 'may be written by all' : `stands in ${open}, where all may write`,
      remedy: `chmod o-w ${open}`,
    }
  // a link itself may be all's, and what it leads to may not
  const file = isSecure && stat ? director.fileOf(path) : undefined
  const real = file === undefined ? undefined : realpathSync(file)
  return real !== undefined && [real, dirname(real)].some(one => isOpen(lstatSync(one)))
    ? { why: 'is a link to what all may write', remedy: 'chmod o-w the file and its folder' }
    : undefined
}

const insecure =
  (ofTracked: boolean) =>
  ({ directors }: LintInput): Found[] =>
    directors.flatMap(director =>
      commandsOf(director).flatMap(command => {
        const found = isTracked(command) === ofTracked ? exposed(command, director) : undefined
        if (!found) return []
        const message = `${command.path} ${found.why}, and root would run it; ${outcome(command)}`
        return [{ at: command.line.words[1]?.at ?? command.line.at, message, remedy: found.remedy }]
      }),
    )

/** keepalived asks for it where there is a script that it can find. */
const withoutSecurity = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const first = commandsOf(director).find(command => missing(command, director) === undefined)
    const globals = globalsOf(director).map(keyword)
    if (!first || globals.includes('enable_script_security')) return []
    const user = globals.includes('script_user') ? '' : ' and no script_user'
    const message = `${director.name} runs scripts, and global_defs has no enable_script_security${user}`
    return [{ at: first.line.at, message }]
  })

const withoutUser = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const globals = globalsOf(director).map(keyword)
    if (!globals.includes('enable_script_security') || globals.includes('script_user')) return []
    const first = commandsOf(director).find(({ user }) => user === undefined)
    if (!first) return []
    const message = `${director.name} runs scripts, and global_defs has no script_user: keepalived asks for a user keepalived_script`
    return [{ at: first.line.at, message }]
  })

/** What is something to a shell where it stands outside of quotes. */
const SHELL = /^(?:\|\|?|&&?|\d?>.*|&>.*|<.*)$|;$|^[^'"]*(?:\$\(|`)/

const shellSyntax = eachCommand(({ line, path }) => {
  const found = typedWords(line.words[1]?.text ?? '').find(word => SHELL.test(word))
  return found === undefined ? undefined : `there is no shell to take ${found} for more than an argument of ${path}`
})

/** One that is meant to begin or end what is to be one argument. */
const quoteGiven = eachCommand(({ line, path }) => {
  const found = typedWords(line.words[1]?.text ?? '').find(word => /^\\["']/.test(word))
  return found && `${path} gets ${commandWords(found)[0]} with its quote: behind a backslash it quotes nothing`
})

/** What is an argument rather than a user or a group of that name. */
const ARGUMENT = /^(?:master|backup|fault|stop|up|down|start|on|off)$|[^\w.-]|^[\d.-]/i

/** What stands behind a command is no part of it (vrrp_parser.c, check_misc.c, lib/notify.c notify_script_init). */
const behindCommand = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    commandsOf(director).flatMap(({ line, path }): Found[] => {
      const [{ text: word }, , ...extra] = line.words
      const [first] = extra
      if (!first) return []
      const rest = extra.map(one => one.text).join(' ')
      const remedy = `put quotes around the whole command, ${word} "${path} ..."`
      if (ALONE.includes(word))
        return [{ at: first.at, message: `keepalived runs ${path} without ${rest}, and says nothing`, remedy }]
      if (extra.length < 3 && !extra.some(one => ARGUMENT.test(one.text))) return []
      const message = `${path} does not get ${rest}: keepalived takes ${first.text} for the user that runs it, and leaves it out where there is none`
      return [{ at: first.at, message, remedy }]
    }),
  )

/** What a reload, which counts weights without their `reverse`, makes of the result that a script has. */
const afterReload = ({ weight }: TrackedScript): string => {
  if (weight === 0) return 'if it fails then, that is a FAULT'
  return `if it ${weight < 0 ? 'fails' : 'succeeds'} then, it counts ${weight} instead of ${-weight}`
}

const reverseForgotten = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements, config }) => {
    // at one without a name keepalived stops, which is told by itself
    const named = statements.filter(({ words }) => words.length > 1)
    const scripts = readScripts(named, [])
    // a group's own weights count, which its members do not have
    const ofGroups = all(named, 'vrrp_sync_group').flatMap(({ block = [] }) =>
      readTrackedScripts(all(block, 'track_script'), scripts, '', []),
    )
    const ofInstances = config.instances.flatMap(({ priority, trackScripts }) =>
      trackScripts.filter(({ weight }) => weight === 0 || priority < 255),
    )
    return [...ofInstances, ...ofGroups]
      .filter(({ reverse }) => reverse)
      .map(one => ({
        at: one.at,
        message: `keepalived forgets reverse of ${one.script.name} at a reload: ${afterReload(one)}`,
      }))
  })

export const scriptRules: Rule[] = [
  {
    code: 'script-user-path',
    severity: 'error',
    rejected: true,
    title: 'A script without a path that another user than root runs',
    why: 'keepalived becomes that user to look for it in PATH, and then may not set the groups: "Permissions failure for script ... in path" (lib/notify.c find_path).',
    remedy: 'Write the whole path, e.g. /usr/bin/killall.',
    check: userWithoutPath,
  },
  {
    code: 'track-script-unusable',
    severity: 'error',
    rejected: true,
    title: 'A script to track that does not exist',
    why: 'keepalived tracks nothing then (vrrp.c check_track_script_secure). Told of files below /etc/keepalived, where a folder was given.',
    remedy: 'Put the file beside the configuration, at the path that it has on the node.',
    check: trackedMissing,
  },
  {
    code: 'script-unusable',
    severity: 'error',
    rejected: false,
    title: 'A script that cannot be run, or a notify or check script that does not exist',
    why: 'keepalived disables it, or does not track it, with a line in its log; its configuration test says nothing of it (lib/notify.c check_script_secure). Told of files below /etc/keepalived, where a folder was given.',
    remedy: 'Put the file beside the configuration, at the path that it has on the node, and chmod a+x it.',
    check: otherUnusable,
  },
  {
    code: 'track-script-insecure',
    severity: 'error',
    rejected: true,
    title: 'A script to track that is not safe enough for root',
    why: 'keepalived does not track what root would run and others may write, and nothing on whose path a folder is a link, as /bin is where /usr has it all (lib/notify.c check_security). Owners and groups are not looked at: those of a copy are its own.',
    remedy: 'Let root alone write the script and its folders, or give vrrp_script a user other than root.',
    example:
      'global_defs {\n  enable_script_security\n  script_user root\n}\nvrrp_script chk {\n  script /bin/true\n}\n',
    check: insecure(true),
  },
  {
    code: 'script-insecure',
    severity: 'error',
    rejected: false,
    title: 'A notify or check script that is not safe enough for root',
    why: 'keepalived disables what root would run and others may write, and what has a link among its folders, with a line in its log (lib/notify.c check_security).',
    remedy: 'Let root alone write the script and its folders, or have another user run it.',
    check: insecure(false),
  },
  {
    code: 'script-reverse',
    severity: 'warning',
    rejected: false,
    title: 'A script that is tracked with reverse, which a reload forgets',
    why: 'After a reload keepalived begins with the results that it has, and counts their weights, or takes the instance to FAULT, without reverse (vrrp_track.c initialise_track_script_state); what changes later counts with it, and the priority stays wrong until a restart. Files, processes, interfaces and BFD keep their reverse.',
    remedy:
      'Let the script itself fail where something is wrong, and take reverse out; until then restart keepalived instead of a reload.',
    example: 'track_script {\n  chk weight -20 reverse\n}\n',
    check: reverseForgotten,
  },
  {
    code: 'script-shell',
    severity: 'warning',
    rejected: false,
    title: 'A command in the language of a shell',
    why: 'keepalived runs the words of a command by themselves, without a shell: || && | ; > and $( are arguments of the program (lib/notify.c).',
    remedy: `Let a shell run it, "/usr/bin/sh -c '...'", or write it into a script.`,
    example: 'vrrp_script chk {\n  script "/usr/bin/pgrep haproxy || exit 1"\n}\n',
    check: shellSyntax,
  },
  {
    code: 'script-quote',
    severity: 'warning',
    rejected: false,
    title: 'A quote of a command that quotes nothing',
    why: 'Inside of the quotes of a command, a quote behind a backslash is one that the program gets: of sh -c \\"pidof haproxy\\" the shell is given "pidof, and says that its quote is not closed (lib/parser.c alloc_strvec_quoted_escaped).',
    remedy: `Use the other kind of quotes inside: "/usr/bin/sh -c 'pidof haproxy'".`,
    example: 'vrrp_script chk {\n  script "/usr/bin/sh -c \\"pidof haproxy\\""\n}\n',
    check: quoteGiven,
  },
  {
    code: 'script-words',
    severity: 'error',
    rejected: false,
    title: 'Arguments that a command does not get',
    why: 'A command is one word, quoted where it has blanks. Of script and misc_path keepalived drops what stands behind it; behind all others it reads the user and the group that run the script, and without a user of that name runs none, with a line in its log that its configuration test does not have (vrrp_parser.c vrrp_vscript_script_handler, check_misc.c, lib/notify.c notify_script_init).',
    remedy: 'Put quotes around the whole command.',
    example: 'vrrp_script chk {\n  script /usr/bin/pgrep haproxy\n}\n',
    check: behindCommand,
  },
  {
    code: 'script-security',
    severity: 'error',
    rejected: true,
    title: 'Scripts without script security',
    why: 'keepalived runs them as root whoever may write them, and its configuration test ends with SECURITY VIOLATION (vrrp.c, check_data.c, lib/notify.c).',
    remedy: 'Write enable_script_security and script_user into global_defs, and let nobody but root write the scripts.',
    check: withoutSecurity,
  },
  {
    code: 'script-user',
    severity: 'warning',
    rejected: true,
    title: 'Scripts without a user that runs them',
    why: 'keepalived takes the user keepalived_script, and removes the scripts where the system has none, as Debian does not (lib/notify.c get_default_script_user). Whether the node has one is not known here, so it is a warning.',
    remedy: 'Write script_user into global_defs, or the user of each script.',
    check: withoutUser,
  },
]
