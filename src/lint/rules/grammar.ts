import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import type { Position } from '../../errors.ts'
import { choicesOf, insteadOf, isInRange, isSwitch, needsValue, rangeOf, takesOne } from '../grammar.ts'
import { type Block, COMMANDS, opens, ROOT, split, wordsOf } from '../keywords.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'
import { everyStatement, globalsOf, linesOfFiles } from '../statements.ts'
import { PASSED_OVER } from './values.ts'

interface Placed {
  statement: Statement
  /** The lines of the block that it stands in. */
  siblings: Statement[]
  block: string
  of: Block
}

/** Every statement whose keyword its block knows. */
const placed = (statements: Statement[], of: Block, block: string): Placed[] =>
  statements.flatMap(statement => {
    const word = keyword(statement)
    if (!wordsOf(of).includes(word)) return []
    const inner = opens(of, word)
    return [
      { statement, siblings: statements, block, of },
      ...(inner ? placed(statement.block ?? [], inner, word) : []),
    ]
  })

/** Lines of which the reader says already what keepalived makes of them. */
const linesSaid = ({ config, errors }: Director): Set<string> =>
  new Set(
    [...config.notices.filter(({ message }) => !PASSED_OVER.test(message)), ...errors].flatMap(({ at }) =>
      at ? [`${at.line} ${at.file}`] : [],
    ),
  )

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

/** Numbers that stand behind words of their own, by keyword; the reader has `tcpfin` and `udp` (global_parser.c `lvs_syncd_handler`, `lvs_timeouts`). */
const OPTIONS = new Map([
  [
    'lvs_sync_daemon',
    new Map([
      ['id', { min: 0, max: 255 }],
      ['maxlen', { min: 1, max: 65_507 }],
      ['port', { min: 1, max: 65_535 }],
      ['ttl', { min: 1, max: 255 }],
    ]),
  ],
  ['lvs_timeouts', new Map([['tcp', { min: 0, max: 2_678_400 }]])],
])

const optionsOutOfRange = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    globalsOf(director).flatMap(({ words }) =>
      words.flatMap(({ text, at }, index) => {
        const range = OPTIONS.get(words[0].text)?.get(text)
        const value = words[index + 1]
        if (!range || (value && isInRange(value.text, range))) return []
        const what = value ? `${value.text} is not a whole number from ${range.min} to ${range.max}` : 'has no value'
        return [{ at: value?.at ?? at, message: `${text} ${what}; keepalived goes without it` }]
      }),
    ),
  )

/** `ipvsadm --set` takes the three numbers alone, `lvs_timeouts` does not (global_parser.c `lvs_timeouts`). */
const timeoutsUnnamed = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    globalsOf(director)
      .filter(one => keyword(one) === 'lvs_timeouts')
      .flatMap(({ words: [, first] }) => first ?? [])
      .filter(({ text }) => !['tcp', 'tcpfin', 'udp'].includes(text))
      .map(({ text, at }) => ({ at, message: `${text} is none of tcp, tcpfin and udp; keepalived goes without it` })),
  )

const noSwitch = each(({ block }, word, value) =>
  isSwitch({ block, word }) && value !== undefined && !/^(?:on|off|true|false|yes|no)$/.test(value)
    ? `${word} ${value} is neither on nor off`
    : undefined,
)

const noChoice = each(({ block }, word, value) => {
  const choices = choicesOf({ block, word })
  return !choices || value === undefined || choices.includes(value)
    ? undefined
    : `${word} ${value} is not ${choices.join(' or ')}; keepalived ignores it`
})

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

/** Words that a block may have once ("already specified" in vrrp_parser.c, check_parser.c, check_smtp.c, global_parser.c, ...). */
const ONCE = new Set(
  split(`notify notify_master notify_backup notify_fault notify_stop notify_deleted notify_master_rx_lower_pri notify_up
    notify_down quorum_up quorum_down virtualhost snmp_name helo_name DNS_CHECK/name regex process lvs_sync_daemon
    lvs_sync_daemon_interface vrf startup_script shutdown_script vrrp_iptables nftables nftables_ipvs notify_fifo
    notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script lvs_notify_fifo lvs_notify_fifo_script snmp_socket vmac_prefix
    vmac_addr_prefix tmp_config_directory config_save_dir track_file/file vrrp_track_file/file track_file/weight
    vrrp_track_file/weight vrrp_track_process/weight SSL net_namespace net_namespace_ipvs instance vrrp_sync_group/group`),
)

const twice = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements }) => {
    const seen = new WeakMap<Statement[], Map<string, Position>>()
    return placed(statements, ROOT, 'root').flatMap(({ statement, block, siblings }) => {
      const word = keyword(statement)
      if (!(ONCE.has(word) || ONCE.has(`${block}/${word}`))) return []
      const before = seen.get(siblings) ?? new Map<string, Position>()
      seen.set(siblings, before)
      const other = before.get(word)
      before.set(word, other ?? statement.at)
      return other ? [{ at: statement.at, other, message: `${word} stands twice; keepalived takes one of them` }] : []
    })
  })

/**
 * Words of which keepalived silently looks at one value, by `block/word` where the word takes more elsewhere; measured with its
 * configuration test, one at a time.
 */
const ONE_OF = new Set(
  split(`state interface virtual_router_id priority advert_int auth_type auth_pass preempt_delay mcast_src_ip delay_loop
    protocol persistence_timeout quorum connect_timeout delay_before_retry warmup connect_port connect_ip bindto
    real_server/weight path virtualhost helo_name interval fall rise vrrp_script/timeout misc_timeout`),
)

/** Blocks whose head is an address and a port, or a word and what it names. */
const HEADS = ['virtual_server', 'real_server']

const second = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    placed(director.statements, ROOT, 'root').flatMap(({ statement, block, of }) => {
      const word = keyword(statement)
      const isHead = HEADS.includes(word)
      const extra = statement.words[isHead ? 3 : 2]
      if (!extra || !(isHead || ONE_OF.has(word) || ONE_OF.has(`${block}/${word}`))) return []
      const sign = statement.words[1]?.text
      if (sign === '=' || sign === ':') {
        const message = `keepalived takes ${sign} for the value of ${word}`
        return [{ at: extra.at, message, remedy: `write ${word} and its value, with a blank between them` }]
      }
      const what = word === 'auth_pass' ? 'there is a second word' : `${extra.text} stands`
      const message = `${what} behind the ${isHead ? 'address and the port' : 'value'} of ${word}; keepalived does not look at it, and says nothing`
      return [
        {
          at: extra.at,
          message,
          ...(isHead ? { remedy: 'write it on a line of its own, in the block' } : {}),
          ...(!isHead && wordsOf(of).includes(extra.text) ? { remedy: 'begin a new line before it' } : {}),
        },
      ]
    }),
  )

/** Words whose values may hold # and !, which begin a comment wherever they stand. */
const MAY_HOLD_A_MARK = new Set([
  ...COMMANDS,
  ...split('auth_pass password path virtualhost regex regex_no_match helo_name payload'),
])

/** Index of a comment that begins within a word; -1 where none does. */
const commentInWord = (line: string): number => {
  const before = /^(?:[^"#!]+|"[^"]*")*/.exec(line)?.[0] ?? ''
  return before.length < line.length && /[^\s{}"]$/.test(before) && /[#!]/.test(line[before.length] ?? '')
    ? before.length
    : -1
}

const cut = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const lineAt = linesOfFiles()
    return everyStatement(director.statements)
      .filter(one => MAY_HOLD_A_MARK.has(keyword(one)) && one.words[0].definedAt === undefined)
      .flatMap(({ at, words }) => {
        const text = lineAt(at)
        const index = commentInWord(text)
        if (index < 0) return []
        const message = `${text[index]} begins a comment, so keepalived reads ${words[0].text} without what stands behind it`
        return [{ at: { ...at, column: index + 1 }, message }]
      })
  })

/** Lists that have a name of their own. */
const NAMED = ['virtual_server_group']

export const grammarRules: Rule[] = [
  {
    code: 'word-twice',
    severity: 'error',
    rejected: true,
    title: 'A word stands twice in a block that has it once',
    why: 'keepalived takes the first of most of them, and the last of virtualhost, helo_name and regex ("already specified", "Duplicate" in its log).',
    remedy: 'Take one of them out.',
    check: twice,
  },
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
    check: input => [...outOfRange(input), ...optionsOutOfRange(input)],
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
    code: 'choice-unknown',
    severity: 'error',
    rejected: true,
    title: 'A word that is none of those that its keyword takes',
    why: 'keepalived goes on without it (check_parser.c ip_family_handler, check_http.c http_protocol_handler, vrrp_parser.c vrrp_tprocess_match_handler, global_parser.c).',
    remedy: 'Write one of the words that the message names.',
    check: input => [...noChoice(input), ...timeoutsUnnamed(input)],
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
    code: 'value-second',
    severity: 'warning',
    rejected: false,
    title: 'A second word where keepalived reads one',
    why: 'keepalived takes the first word and says nothing about the others: // and ; begin no comment, and a secret with a blank needs quotes.',
    remedy: 'Take it out, put quotes around the value, or begin a comment with #.',
    check: second,
  },
  {
    code: 'comment-in-value',
    severity: 'error',
    rejected: false,
    title: 'A value is cut where a comment begins',
    why: '# and ! begin a comment wherever they stand outside of quotes, and a backslash before them does not help (lib/parser.c decomment).',
    remedy: 'Put quotes around the value, or a blank before the comment.',
    check: cut,
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
