import { type CommandDef, renderUsage, runCommand } from 'citty'
import { stripVTControlCharacters } from 'node:util'
import { LvslabError } from '../errors.ts'
import { hint } from '../topology/did-you-mean.ts'
import { defineVerb, notesOf, takesAnyNumber } from './define-verb.ts'
import { printError } from './run-verb.ts'
import { VERSION } from './version.ts'

const main = defineVerb(
  'Example: lvslab verify topologies/keepalived-dr\n\nExit codes: 0 all passed, 1 a check failed, 2 usage or configuration error, 3 inconclusive or environment, 130 interrupted.',
  {
    meta: {
      name: 'lvslab',
      version: VERSION,
      description:
        'Integration test harness for LVS and keepalived: builds the network that a configuration describes, breaks it, and judges with evidence.',
    },
    subCommands: {
      verify: () => import('./verbs/verify.ts').then(m => m.verifyCommand),
      test: () => import('./verbs/test.ts').then(m => m.testCommand),
      judge: () => import('./verbs/judge.ts').then(m => m.judgeCommand),
      up: () => import('./verbs/up.ts').then(m => m.upCommand),
      down: () => import('./verbs/down.ts').then(m => m.downCommand),
      status: () => import('./verbs/status.ts').then(m => m.statusCommand),
      exec: () => import('./verbs/exec.ts').then(m => m.execCommand),
      shell: () => import('./verbs/shell.ts').then(m => m.shellCommand),
      derive: () => import('./verbs/derive.ts').then(m => m.deriveCommand),
      plan: () => import('./verbs/plan.ts').then(m => m.planCommand),
      lint: () => import('./verbs/lint.ts').then(m => m.lintCommand),
      graph: () => import('./verbs/graph.ts').then(m => m.graphCommand),
      doctor: () => import('./verbs/doctor.ts').then(m => m.doctorCommand),
      engine: () => import('./verbs/engine.ts').then(m => m.engineCommand),
    },
  },
)

const usage = (message: string): LvslabError =>
  new LvslabError('USAGE', message, { remedy: 'lvslab --help', exitCode: 2 })

type AnyCommand = CommandDef<never>

/** Walks down the verbs that the words name. */
const resolve = async (words: string[]): Promise<{ command: AnyCommand; parent?: AnyCommand; rest: string[] }> => {
  let command = main as unknown as AnyCommand
  let parent: AnyCommand | undefined
  let rest = words
  for (;;) {
    const verbs = command.subCommands as Record<string, unknown> | undefined
    const [word] = rest
    if (!verbs || word === undefined || word.startsWith('-')) break
    if (!Object.hasOwn(verbs, word)) throw usage(`no verb ${word}${hint(word, Object.keys(verbs), 'verbs')}`)
    parent = command
    const next = verbs[word]
    command = (typeof next === 'function' ? await next() : next) as AnyCommand
    rest = rest.slice(1)
  }
  return { command, ...(parent ? { parent } : {}), rest }
}

/** Usage as citty renders it, and the verb's notes beneath it: examples, exit codes. */
const helpOf = async (command: AnyCommand, parent?: AnyCommand): Promise<string> => {
  const text = await renderUsage(command, parent)
  const whole = [text.trimEnd(), notesOf(command)].join('\n\n').trimEnd()
  return process.stdout.isTTY ? whole : stripVTControlCharacters(whole)
}

/** The parser takes any option and any number of words; a misspelled one must not be lost in silence. */
const checkWords = (command: AnyCommand, words: string[]): void => {
  const args = (command.args ?? {}) as Record<string, { type?: string; required?: boolean }>
  const positionals = Object.keys(args).filter(name => args[name]?.type === 'positional')
  const options = Object.keys(args).filter(name => !positionals.includes(name))
  let taken = 0
  const given = new Set<string>()
  for (let n = 0; n < words.length; n++) {
    const word = words[n] as string
    if (!word.startsWith('-')) {
      taken++
      if (taken > positionals.length && !takesAnyNumber(command))
        throw usage(`"${word}" is one argument too many: ${takes(positionals)}`)
      continue
    }
    const name = word.replace(/^--?/, '').replace(/=.*$/, '')
    if (!options.includes(name)) throw usage(`no option ${word}${hint(name, options, 'options')}`)
    if (given.has(name))
      throw usage(`--${name} is given twice: once, with a comma between several names where it takes them`)
    given.add(name)
    if (args[name]?.type === 'boolean' || word.includes('=')) continue
    n++
    if (words[n] === undefined || words[n]?.startsWith('-')) throw usage(`${word} needs a value`)
  }
}

const takes = (positionals: string[]): string =>
  positionals.length === 0 ? 'this verb takes none' : `this verb takes ${positionals.join(' and ').toUpperCase()} alone`

const run = async (words: string[]): Promise<void> => {
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  if (own.length === 1 && (own[0] === '--version' || own[0] === '-v')) {
    process.stdout.write(`${VERSION}\n`)
    return
  }
  const asksHelp = own.some(word => word === '--help' || word === '-h')
  const { command, parent, rest } = await resolve(own.filter(word => word !== '--help' && word !== '-h'))
  if (asksHelp || command.subCommands) {
    const text = await helpOf(command, parent)
    if (!asksHelp && words.length > 0)
      throw usage(`${words.join(' ')} needs a verb: ${Object.keys(command.subCommands ?? {}).join(', ')}`)
    process.stdout.write(`${text}\n`)
    return
  }
  checkWords(command, rest)
  await runCommand(command, { rawArgs: words.slice(own.length - rest.length) })
}

try {
  await run(process.argv.slice(2))
} catch (error) {
  // citty's own complaints: a missing argument, a value that is none
  const isUsage = error instanceof Error && error.name === 'CLIError'
  process.exitCode = printError(isUsage ? usage(error.message) : error)
}
