import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import { insteadOf, isInRange, isSwitch, needsValue, rangeOf, takesOne } from '../grammar.ts'
import { type Block, opens, ROOT, wordsOf } from '../keywords.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'

interface Placed {
  statement: Statement
  block: string
  of: Block
}

/** Every statement whose keyword its block knows. */
const placed = (statements: Statement[], of: Block, block: string): Placed[] =>
  statements.flatMap(statement => {
    const word = keyword(statement)
    if (!wordsOf(of).includes(word)) return []
    const inner = opens(of, word)
    return [{ statement, block, of }, ...(inner ? placed(statement.block ?? [], inner, word) : [])]
  })

/** Lines of which the reader says already what keepalived makes of them. */
const linesSaid = ({ config, errors }: Director): Set<string> =>
  new Set([...config.notices, ...errors].flatMap(({ at }) => (at ? [`${at.line} ${at.file}`] : [])))

const each =
  (judge: (placed: Placed, word: string, value: string | undefined) => string | undefined) =>
  ({ directors }: LintInput): Found[] =>
    directors.flatMap(director => {
      const said = linesSaid(director)
      return placed(director.statements, ROOT, 'root').flatMap(one => {
        const { at, words } = one.statement
        const message = judge(one, words[0].text, words[1]?.text)
        return message === undefined || said.has(`${at.line} ${at.file}`) ? [] : [{ at, message }]
      })
    })

const missing = each(({ block, of, statement }, word, value) =>
  value === undefined && !of.lists.includes(word) && !isCheck(statement, of) && needsValue({ block, word })
    ? `${word} has no value`
    : undefined,
)

/** Blocks that have no name: checks, `authentication`, `url`, `host`. */
const isCheck = (statement: Statement, of: Block): boolean => {
  const word = keyword(statement)
  return opens(of, word) !== undefined && (/^[A-Z]/.test(word) || ['authentication', 'url', 'host'].includes(word))
}

const outOfRange = each(({ block }, word, value) => {
  const range = rangeOf({ block, word })
  if (!range || value === undefined || isInRange(value, range)) return undefined
  const kind = range.decimals ? 'seconds' : 'a whole number'
  const limits = range.max === Infinity ? `from ${range.min}` : `from ${range.min} to ${range.max}`
  return `${word} ${value} is not ${kind} ${limits}`
})

const noSwitch = each(({ block }, word, value) =>
  isSwitch({ block, word }) && value !== undefined && !/^(?:on|off|true|false|yes|no)$/.test(value)
    ? `${word} ${value} is neither on nor off`
    : undefined,
)

const deprecated = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    placed(director.statements, ROOT, 'root').flatMap(({ statement, block }) => {
      const word = keyword(statement)
      const instead = insteadOf({ block, word })
      if (instead === undefined) return []
      return [{ at: statement.at, message: `${word} is deprecated`, remedy: `write ${instead}` }]
    }),
  )

const tooMany = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    placed(director.statements, ROOT, 'root').flatMap(({ statement, block, of }) => {
      const word = keyword(statement)
      const [, value, extra] = statement.words
      const isList = of.lists.includes(word) && value !== undefined && !NAMED.includes(word)
      if (!isList && !(takesOne({ block, word }) && extra)) return []
      const at = (isList ? value : extra)?.at ?? statement.at
      return [{ at, message: `keepalived does not look at what stands behind ${isList ? word : value?.text}` }]
    }),
  )

/** Lists that have a name of their own. */
const NAMED = ['virtual_server_group']

export const grammarRules: Rule[] = [
  {
    code: 'value-missing',
    severity: 'error',
    rejected: true,
    title: 'A keyword without its value',
    why: 'keepalived stops at most of such lines, and ignores the others (lib/parser.c null_strvec).',
    remedy: 'Write a value, or take the line out.',
    example: 'vrrp_instance VI_1 {\n  priority\n}\n',
    check: missing,
  },
  {
    code: 'number-invalid',
    severity: 'error',
    rejected: true,
    title: 'A number that keepalived does not take',
    why: 'It is none, or out of range; keepalived takes its default or ignores the line (lib/parser.c read_int_func, read_unsigned_func, read_timer).',
    remedy: 'Write a number in the range that the message names.',
    example: 'vrrp_instance VI_1 {\n  priority 300\n}\n',
    notice: /is not a number/,
    check: outOfRange,
  },
  {
    code: 'switch-invalid',
    severity: 'error',
    rejected: true,
    title: 'A switch that is neither on nor off',
    why: 'keepalived ignores the line (lib/parser.c check_true_false).',
    remedy: 'Write the word alone, or on, off, true, false, yes or no after it.',
    notice: /is neither on nor off/,
    check: noSwitch,
  },
  {
    code: 'value-extra',
    severity: 'error',
    rejected: true,
    title: 'A line has words that keepalived does not look at',
    why: 'What stands behind the value, or between the word and its {, has no effect; keepalived says so and goes on.',
    remedy: 'Take them out, or make them a comment.',
    check: tooMany,
  },
  {
    code: 'keyword-deprecated',
    severity: 'warning',
    rejected: true,
    title: 'A deprecated keyword',
    why: "keepalived obeys it, and its configuration test ends with an error (keepalived's report_config_error).",
    remedy: 'Write the word that took its place.',
    check: deprecated,
  },
]
