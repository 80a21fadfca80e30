import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { LvslabError, messageOf } from '../src/errors.ts'
import { hint } from '../src/topology/did-you-mean.ts'

/** A number that is written in digits, from `least` on. */
export const number = (least = 0): z.ZodType<number, string> =>
  z
    .string()
    .refine(given => /^\d+(\.\d+)?$/.test(given) && Number(given) >= least, `a number from ${least} on is needed`)
    .transform(Number)

/** As {@link number}, without a fraction. */
export const whole = (least = 0): z.ZodType<number, string> =>
  z
    .string()
    .refine(given => /^\d{1,15}$/.test(given) && Number(given) >= least, `a whole number from ${least} on is needed`)
    .transform(Number)

/** One of these words. */
export const oneOf = <const W extends string>(words: readonly W[]): z.ZodType<W, string> =>
  z.string().refine(given => words.includes(given as W), {
    error: ({ input }) => `unknown${hint(String(input), words, 'there are')}`,
  }) as unknown as z.ZodType<W, string>

/** Several of a kind, with commas between them; none where nothing is given. */
export const list = <T>(of: z.ZodType<T, string>): z.ZodType<T[], string> =>
  z
    .string()
    .transform(given => (given === '' ? [] : given.split(',')))
    .pipe(z.array(of))

/** JSON that a schema takes. */
export const json = <T>(of: z.ZodType<T>): z.ZodType<T, string> =>
  z
    .string()
    .transform((given, context) => {
      try {
        return JSON.parse(given) as unknown
      } catch (error) {
        context.addIssue(messageOf(error))
        return z.NEVER
      }
    })
    .pipe(of)

/** A file that is there. */
export const file: z.ZodType<string, string> = z
  .string()
  .refine(name => statSync(name, { throwIfNoEntry: false })?.isFile(), 'there is no such file')

export const text: z.ZodType<string, string> = z.string()

/** As `--clock` of the command line; the engine's own where it is left out. */
export const clock: z.ZodType<'real' | 'virtual' | 'default', string> = oneOf(['real', 'virtual'])

/** For a bench that breaks the MASTER of a pair, and a topology without one. */
export const noPair = (topology: string): LvslabError =>
  new LvslabError(
    'BENCH_NO_PAIR',
    `--topology: ${topology} has no VIP that two directors may hold, with a service on it`,
    {
      remedy: 'npm run bench takes topologies/keepalived-dr by itself',
      exitCode: 2,
    },
  )

const usage = (message: string, remedy: string): LvslabError =>
  new LvslabError('USAGE', message, { remedy, exitCode: 2 })

/**
 * The options of a bench, each `--NAME VALUE`, as their schemas read them. What they do not take is refused before anything
 * is built.
 *
 * @throws LvslabError USAGE
 */
export const benchOptions = <S extends Record<string, z.ZodType<unknown, string | undefined>>>(
  shape: S,
  args: string[] = process.argv.slice(2),
): z.output<z.ZodObject<S>> => {
  const names = Object.keys(shape)
  const remedy = names.length > 0 ? `the options are ${names.map(name => `--${name}`).join(', ')}` : 'it has no options'
  const options = Object.fromEntries(names.map(name => [name, { type: 'string' as const }]))
  // not strict: its own words are for programs
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const given: Record<string, string> = {}
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') throw usage(`"${token.value}" belongs to no option`, remedy)
    const { name, rawName, value } = token
    if (!Object.hasOwn(shape, name)) throw usage(`no option ${rawName}${hint(name, names, 'options')}`, remedy)
    if (value === undefined) throw usage(`${rawName} needs a value`, remedy)
    if (Object.hasOwn(given, name)) throw usage(`${rawName} is there twice: ${given[name]} and ${value}`, remedy)
    given[name] = value
  }
  const read = z.object(shape).safeParse(given)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const [name, ...inside] = issue?.path ?? []
  const place = inside.filter(step => typeof step === 'string').join('.')
  throw usage(`--${String(name)} ${given[String(name)]}: ${place && `${place}: `}${issue?.message}`, remedy)
}
