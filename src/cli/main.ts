import { renderUsage, runCommand } from 'citty'
import { stripVTControlCharacters } from 'node:util'
import { hint } from '../topology/did-you-mean.ts'
import { type AnyCommand, checkWords } from './check-words.ts'
import { usage } from './usage.ts'
import { defineVerb, notesOf } from './define-verb.ts'
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

/** The verbs that came before the words that are left. */
const namesOf = (words: string[], rest: string[]): string => words.slice(0, words.length - rest.length).join(' ')

/** Walks down the verbs that the words name. */
const resolve = async (words: string[]): Promise<{ command: AnyCommand; parent?: AnyCommand; rest: string[] }> => {
  let command = main as unknown as AnyCommand
  let parent: AnyCommand | undefined
  let rest = words
  for (;;) {
    const verbs = command.subCommands as Record<string, unknown> | undefined
    const [word] = rest
    if (!verbs || word === undefined || word.startsWith('-')) break
    if (!Object.hasOwn(verbs, word))
      throw usage(namesOf(words, rest), `no verb ${word}${hint(word, Object.keys(verbs), 'verbs')}`)
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
      throw usage(
        namesOf(own, rest),
        `${words.join(' ')} needs a verb: ${Object.keys(command.subCommands ?? {}).join(', ')}`,
      )
    process.stdout.write(`${text}\n`)
    return
  }
  const verb = namesOf(own, rest)
  checkWords(command, rest, verb)
  try {
    await runCommand(command, { rawArgs: words.slice(own.length - rest.length) })
  } catch (error) {
    // citty's own complaints: a missing argument, a value that is none
    throw error instanceof Error && error.name === 'CLIError' ? usage(verb, error.message) : error
  }
}

try {
  await run(process.argv.slice(2))
} catch (error) {
  process.exitCode = printError(error)
}
