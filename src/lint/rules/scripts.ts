import { statSync } from 'node:fs'
import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'
import { everyStatement, globalsOf } from '../statements.ts'

const NOTIFY = ['notify', 'notify_master', 'notify_backup', 'notify_fault', 'notify_stop', 'notify_deleted']
/** Keywords whose value is a command line. */
const COMMANDS = [
  ...NOTIFY,
  ...['notify_master_rx_lower_pri', 'notify_up', 'notify_down', 'quorum_up', 'quorum_down', 'script', 'misc_path'],
  ...['startup_script', 'shutdown_script', 'notify_fifo_script', 'vrrp_notify_fifo_script', 'lvs_notify_fifo_script'],
]
/** The folder that an operator keeps beside the configuration; what stands elsewhere may come with the system. */
const OWN = '/etc/keepalived/'

interface Command {
  line: Statement
  path: string
}

/** A line that stands outside of every block is run by nobody. */
const commandsOf = (director: Director): Command[] =>
  everyStatement(director.statements.flatMap(statement => statement.block ?? []))
    .filter(statement => COMMANDS.includes(keyword(statement)))
    .map(line => ({ line, path: line.words[1]?.text.trim().split(/\s/)[0] ?? '' }))
    .filter(({ path }) => path.startsWith('/'))

const eachCommand =
  (judge: (command: Command, file: string | undefined, director: Director) => string | undefined) =>
  ({ directors }: LintInput): Found[] =>
    directors.flatMap(director =>
      commandsOf(director).flatMap(command => {
        const message = judge(command, director.fileOf(command.path), director)
        return message === undefined ? [] : [{ at: command.line.words[1]?.at ?? command.line.at, message }]
      }),
    )

const missing = eachCommand(({ path }, file, { name }) =>
  path.startsWith(OWN) && file !== undefined && !statSync(file, { throwIfNoEntry: false })
    ? `${name} has no ${path}; keepalived disables it`
    : undefined,
)

const notExecutable = eachCommand(({ path }, file) => {
  const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
  return stat?.isFile() && (stat.mode & 0o111) === 0 ? `${path} is not executable; keepalived disables it` : undefined
})

/** keepalived runs scripts of root's without a word only where script security is on. */
const insecure = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const [first] = commandsOf(director)
    const globals = globalsOf(director).map(keyword)
    if (!first || globals.includes('enable_script_security')) return []
    const message = `${director.name} runs scripts, and enable_script_security is not set: keepalived's configuration test says SECURITY VIOLATION`
    return [{ at: first.line.at, message }]
  })

export const scriptRules: Rule[] = [
  {
    code: 'script-missing',
    severity: 'error',
    rejected: true,
    title: 'A script that does not exist',
    why: 'keepalived disables it (lib/notify.c check_script_secure). Told of files below /etc/keepalived, where a folder was given.',
    remedy: 'Put the file beside the configuration, at the path that it has on the node.',
    check: missing,
  },
  {
    code: 'script-not-executable',
    severity: 'error',
    rejected: true,
    title: 'A script that is not executable',
    why: 'keepalived disables it (lib/notify.c check_script_secure).',
    remedy: 'chmod a+x the file.',
    check: notExecutable,
  },
  {
    code: 'script-security',
    severity: 'warning',
    rejected: true,
    title: 'Scripts without enable_script_security',
    why: 'keepalived runs them, and its configuration test ends with an error (core/main.c, vrrp.c, check_data.c: SECURITY VIOLATION).',
    remedy: 'Write enable_script_security and script_user into global_defs, and let nobody but root write the scripts.',
    check: insecure,
  },
]
