import { keyword } from '../../config/keepalived/parse.ts'
import type { Word } from '../../config/keepalived/tokenize.ts'
import { near } from '../near.ts'
import type { Found, LintInput, Rule } from '../rule.ts'
import { everyStatement } from '../statements.ts'
import { eachLine, hasPrefix, isStatic, type Options, words } from './list-lines.ts'

/** Of addresses and peers, and of lists with nothing in them. */

/** vrrp_ipaddress.c `alloc_ipaddress`. */
const ADDRESS: Options = {
  valued: words('dev scope brd broadcast label peer preferred_lft'),
  bare: words('home -nodad mngtmpaddr noprefixroute autojoin no_track use_vmac'),
}
/** if.h IFNAMSIZ, less the end of the string. */
const LONGEST_LABEL = 15
const SCOPES = words('global nowhere host link site')

const addressOptions = eachLine(
  ['virtual_ipaddress', 'virtual_ipaddress_excluded', 'static_ipaddress'],
  (line, block) => {
    const found: Found[] = []
    const valued = isStatic(block) ? [...ADDRESS.valued, 'track_group'] : ADDRESS.valued
    const rest = line.words.slice(1)
    for (let n = 0; n < rest.length; n++) {
      const { text, at } = rest[n] as Word
      if (ADDRESS.bare.includes(text)) continue
      if (!valued.includes(text)) {
        const choices = [...valued, ...ADDRESS.bare]
        if (hasPrefix(text)) {
          const message = `${text} stands behind another address, and keepalived takes one of each line`
          found.push({ at, message, remedy: 'write it on a line of its own' })
          break
        }
        found.push({ at, message: `keepalived does not know ${text} of an address${near(text, choices)}` })
        continue
      }
      const value = rest[++n]
      if (!value) found.push({ at, message: `${text} of an address has no value` })
      else if (text === 'label' && value.text.length > LONGEST_LABEL) {
        const message = `the label ${value.text} is longer than ${LONGEST_LABEL} characters; keepalived leaves the address out`
        found.push({ at: value.at, message })
      } else if (text === 'peer' && hasPrefix(value.text) && /\/(?!(?:32|128)$)/.test(line.words[0].text)) {
        const message = `keepalived does not look at the prefix of ${line.words[0].text}, as the address has a peer`
        found.push({ at: value.at, message, remedy: 'take the prefix out' })
      } else if (text === 'scope' && !SCOPES.includes(value.text) && !/^\d+$/.test(value.text))
        found.push({ at: value.at, message: `scope ${value.text} is not known${near(value.text, SCOPES)}` })
    }
    return found
  },
)

/** vrrp_data.c `alloc_vrrp_unicast_peer`. */
const peerOptions = eachLine(['unicast_peer'], ({ words: [, ...rest] }) => {
  const odd = rest.find(({ text }, index) => index % 2 === 0 && text !== 'min_ttl' && text !== 'max_ttl')
  return odd ? [{ at: odd.at, message: `keepalived does not know ${odd.text} of a peer` }] : []
})

const emptyLists = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    everyStatement(director.statements)
      .filter(one => ['notification_email', 'interfaces'].includes(keyword(one)) && one.block?.length === 0)
      .map(one => ({ at: one.at, message: `${keyword(one)} is empty` })),
  )

export const listRules: Rule[] = [
  {
    code: 'address-option',
    severity: 'error',
    rejected: true,
    title: 'What stands behind an address is not known',
    why: 'keepalived ignores the word, or leaves the address out (vrrp_ipaddress.c alloc_ipaddress, vrrp_data.c alloc_vrrp_unicast_peer).',
    remedy:
      'Write dev NAME, label NAME, scope SCOPE, brd ADDRESS and the like, min_ttl and max_ttl of a peer; see keepalived.conf(5).',
    example: 'virtual_ipaddress {\n  10.0.0.100/24 de eth0\n}\n',
    check: input => [...addressOptions(input), ...peerOptions(input)],
  },
  {
    code: 'list-empty',
    severity: 'warning',
    rejected: true,
    title: 'A block with nothing in it',
    why: 'keepalived says so, and its configuration test fails (global_parser.c email_handler).',
    remedy: 'Write what belongs there, or take the block out.',
    check: emptyLists,
  },
]
