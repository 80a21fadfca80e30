import { ipVersion } from '../../config/keepalived/address.ts'
import type { Word } from '../../config/keepalived/tokenize.ts'
import { isInRange, type Range } from '../grammar.ts'
import { near } from '../near.ts'
import type { Found, Rule } from '../rule.ts'
import { eachLine, hasPrefix, isStatic, type Options, words } from './list-lines.ts'

/** Of routes and routing rules. */

/** vrrp_iproute.c `alloc_route`; behind `nexthop` begins another grammar. */
const ROUTE: Options = {
  valued:
    words(`src via gw or from tos dsfield table protocol scope metric priority preference dev oif mtu hoplimit advmss rtt
    rttvar reordering window cwnd ssthresh realms rto_min initcwnd initrwnd features quickack congctl pref ttl-propagate
    fastopen_no_cookie expires encap vrf inet inet6 as to`),
  bare: words('onlink add prepend append no_track nexthop'),
}
/** Words of a route that `lock` may stand behind, before the value. */
const LOCKABLE = words('mtu advmss rtt rttvar reordering cwnd ssthresh rto_min congctl')
/** vrrp_iproute.c `parse_nexthops`; `encap` has a grammar of its own and ends what is looked at. */
const NEXTHOP: Options = { valued: words('via dev weight realms'), bare: words('nexthop onlink encap') }
/** vrrp_iprule.c `alloc_rule`, which passes over the word behind `inet` and `inet6`. */
const RULE: Options = {
  valued:
    words(`inet inet6 from to table lookup preference order priority tos dsfield fwmark realms suppress_prefixlength sup_pl
    suppress_ifgroup sup_group dev iif oif tunnel-id uidrange protocol ipproto sport dport goto`),
  bare: words('not l3mdev no_track type nop blackhole unreachable prohibit'),
}
const ACTIONS = words('table lookup l3mdev goto nop blackhole unreachable prohibit')
const PREFERENCE = words('preference priority order')
const U32: Range = { min: 0, max: 2 ** 32 - 1 }
/** Numbers; hexadecimal ones are none here (vrrp_iproute.c `get_u32`, `get_u8`). */
const ROUTE_NUMBERS = new Map<string, Range>([
  ...words('metric priority preference mtu advmss reordering window cwnd ssthresh initcwnd initrwnd expires').map(
    word => [word, U32] as const,
  ),
  ['hoplimit', { min: 0, max: 255 }],
  ['quickack', { min: 0, max: 1 }],
  ['fastopen_no_cookie', { min: 0, max: 1 }],
])
/** The same of a rule, whose protocol has no names either. */
const RULE_NUMBERS = new Map<string, Range>([
  ['goto', U32],
  ['protocol', { min: 0, max: 255 }],
  ['suppress_prefixlength', { min: 0, max: 2 ** 31 - 1 }],
  ['sup_pl', { min: 0, max: 2 ** 31 - 1 }],
])
/** Of one port keepalived makes no range (`sscanf` of two numbers). */
const RANGES = words('sport dport uidrange')
/** Above it keepalived takes no number of `ipproto`, only names (vrrp_iprule.c `inet_proto_a2n`). */
const HIGHEST_PROTOCOL = 127
const HIGHEST_TUNNEL = 2n ** 64n - 1n
const ROUTE_TYPES = words(
  'local nat broadcast brd anycast multicast prohibit unreachable blackhole xresolve unicast throw',
)
/** Of a destination, or of what a rule selects by (vrrp_ipaddress.c `parse_route`). */
const isRoute = (text: string): boolean => ['default', 'any', 'all', 'default6'].includes(text) || hasPrefix(text)

/** Hexadecimal, octal or decimal, as `strtoul` reads it; NaN of anything else. */
const numberOf = (text: string): number => {
  const digits = text.replace(/^\+/, '')
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8)
  return /^(?:0x[\da-f]+|0|[1-9]\d*)$/i.test(digits) ? Number(digits) : Number.NaN
}

/** `expires`, `pref` and `realms` say the IP version of a line as an address does. */
const versionOf = (text: string): number => {
  if (['inet6', 'default6', 'expires', 'pref'].includes(text)) return 6
  if (['inet', 'realms'].includes(text)) return 4
  return ipVersion(text.split('/')[0] as string)
}

/** Of a line that has to be of one IP version, the first word of the other. */
const mixed = (line: Word[]): Found[] => {
  const first = versionOf(line.find(({ text }) => versionOf(text) !== 0)?.text ?? '')
  const other = line.find(({ text }) => versionOf(text) === 10 - first)
  if (!other) return []
  const message = `${other.text} is of IPv${10 - first}, and what stands before it of IPv${first}`
  return [{ at: other.at, message }]
}

/** What is wrong behind the first `nexthop` of a route. */
const nexthops = (line: Word[]): Found[] => {
  for (let n = 0; n < line.length; n++) {
    const { text, at } = line[n] as Word
    if (text === 'encap') return []
    if (NEXTHOP.bare.includes(text)) continue
    if (!NEXTHOP.valued.includes(text)) {
      const message = `${text} is no word of a nexthop; keepalived leaves the route out`
      const isRoutes = ROUTE.valued.includes(text) || ROUTE.bare.includes(text)
      return [{ at, message, ...(isRoutes ? { remedy: 'write it before the first nexthop' } : {}) }]
    }
    const value = line[n + 1]?.text.startsWith('inet') ? line[++n + 1] : line[n + 1]
    n++
    if (!value) return [{ at, message: `${text} of a nexthop has no value` }]
    if (text === 'via' && !hasPrefix(value.text))
      return [{ at: value.at, message: `via ${value.text} is not an address; keepalived leaves the route out` }]
    if (text === 'weight' && !isInRange(value.text, { min: 1, max: 256 })) {
      const message = `weight ${value.text} of a nexthop is not a number from 1 to 256; keepalived leaves the route out`
      return [{ at: value.at, message }]
    }
  }
  return []
}

const notInRange = (word: string, { text }: Word, { min, max }: Range): string =>
  `${word} ${text} is not a number from ${min} to ${max} of`

const routes = eachLine(['virtual_routes', 'static_routes'], (line, block) => {
  const found: Found[] = []
  const valued = isStatic(block) ? [...ROUTE.valued, 'track_group'] : ROUTE.valued
  const protocol = line.words.findIndex(({ text }) => text === 'protocol')
  const { text: own = 'keepalived', at: ownAt = line.at } = (protocol < 0 ? undefined : line.words[protocol + 1]) ?? {}
  if (!['keepalived', '18'].includes(own) && !line.words.some(({ text }) => text === 'no_track')) {
    const message = `keepalived tracks the route by its protocol, and makes keepalived of ${own}`
    found.push({ at: ownAt, message, remedy: 'write no_track behind it, or take the protocol out' })
  }
  const end = line.words.findIndex(({ text }) => text === 'encap')
  found.push(...mixed(end < 0 ? line.words : line.words.slice(0, end)))
  let leads = false
  for (let n = 0; n < line.words.length; n++) {
    const { text, at } = line.words[n] as Word
    if (text === 'nexthop') {
      found.push(...nexthops(line.words.slice(n)))
      break
    }
    leads ||= isRoute(text)
    if (ROUTE.bare.includes(text) || ROUTE_TYPES.includes(text)) continue
    if (text === 'gw' || text === 'or')
      found.push({
        at,
        message: `${text} of a route is deprecated`,
        remedy: `write ${text === 'gw' ? 'via' : 'nexthop'}`,
      })
    if (valued.includes(text)) {
      const value = line.words[n + 1]
      if (!value) found.push({ at, message: `${text} of a route has no value` })
      if (
        value &&
        (['src', 'via', 'gw', 'or'].includes(text)
          ? !hasPrefix(value.text) && !value.text.startsWith('inet')
          : text === 'from' && !isRoute(value.text))
      )
        found.push({
          at: value.at,
          message: `${text} ${value.text} is not an address; keepalived leaves the route out`,
        })
      if (text === 'encap') break // another grammar begins
      if (value?.text === 'lock' && LOCKABLE.includes(text)) n++
      const range = ROUTE_NUMBERS.get(text)
      const number = line.words[n + 1]
      if (range && number && !isInRange(number.text, range)) {
        found.push({ at: number.at, message: `${notInRange(text, number, range)} a route; keepalived leaves it out` })
        break
      }
      if (value && ['tos', 'dsfield'].includes(text) && numberOf(value.text) > 255)
        found.push({ at: value.at, message: `${text} ${value.text} of a route is above 255; keepalived leaves it out` })
      if (!['to', 'as'].includes(text)) n++
    } else if (!isRoute(text)) found.push({ at, message: `${text} is neither an address nor a word of a route` })
  }
  return leads || found.length > 0
    ? found
    : [{ at: line.at, message: 'the route has no destination; keepalived leaves it out' }]
})

/** One with a mask of no digits too, which is 0. */
const isMark = (text: string): boolean => {
  const [mark = '', mask = '', ...rest] = text.split('/')
  return rest.length === 0 && [mark, mask || '0'].every(one => numberOf(one) <= U32.max)
}

const ruleWords = eachLine(['virtual_rules', 'static_rules'], (line, block) => {
  const valued = isStatic(block) ? [...RULE.valued, 'track_group'] : RULE.valued
  for (let n = 0; n < line.words.length; n++) {
    const { text, at } = line.words[n] as Word
    if (RULE.bare.includes(text)) continue
    if (!valued.includes(text))
      return [{ at, message: `keepalived does not know ${text} of a rule${near(text, [...valued, ...RULE.bare])}` }]
    const value = line.words[++n]
    if (!value) return [{ at, message: `${text} of a rule has no value` }]
    if (PREFERENCE.includes(text) && !(numberOf(value.text) <= U32.max))
      return [{ at: value.at, message: `${text} ${value.text} of a rule is not a number` }]
    const range = RULE_NUMBERS.get(text)
    if (range && !isInRange(value.text, range))
      return [{ at: value.at, message: `${notInRange(text, value, range)} a rule` }]
    if (text === 'protocol' && Number(value.text) !== 18 && line.words.every(word => word.text !== 'no_track')) {
      const message = `keepalived tracks the rule by its protocol, and makes 18 of ${value.text}`
      return [{ at: value.at, message, remedy: 'write no_track behind it, or take the protocol out' }]
    }
    if (RANGES.includes(text) && !/^\d+-\d/.test(value.text))
      return [{ at: value.at, message: `${text} ${value.text} of a rule is not a range`, remedy: `write ${text} N-N` }]
    if (['from', 'to'].includes(text) && !isRoute(value.text))
      return [{ at: value.at, message: `${text} ${value.text} of a rule is neither an address nor one with a prefix` }]
    if (['tos', 'dsfield'].includes(text) && numberOf(value.text) > 255)
      return [{ at: value.at, message: `${text} ${value.text} of a rule is above 255; keepalived leaves it out` }]
    if (text === 'ipproto' && Number(value.text) > HIGHEST_PROTOCOL) {
      const message = `keepalived takes no ipproto above ${HIGHEST_PROTOCOL}, and leaves ${value.text} out of the rule`
      return [{ at: value.at, message, remedy: 'write the name of the protocol' }]
    }
    if (text === 'tunnel-id' && !(/^\d+$/.test(value.text) && BigInt(value.text) <= HIGHEST_TUNNEL)) {
      const message = `tunnel-id ${value.text} of a rule is not a number from 0 to ${HIGHEST_TUNNEL}`
      return [{ at: value.at, message }]
    }
    if (text === 'fwmark' && !isMark(value.text))
      return [{ at: value.at, message: `fwmark ${value.text} of a rule is not a mark, nor one with a mask` }]
  }
  const [stranger] = mixed(line.words)
  if (stranger) return [stranger]
  const valueOf = (...keywords: string[]): Word | undefined =>
    line.words[line.words.findLastIndex(({ text }) => keywords.includes(text)) + 1 || line.words.length]
  const [goto, preference] = [valueOf('goto'), valueOf(...PREFERENCE)]
  if (goto && !preference)
    return [{ at: goto.at, message: `goto ${goto.text} of a rule without a preference; keepalived leaves it out` }]
  if (goto && preference && Number(goto.text) <= numberOf(preference.text)) {
    const message = `goto ${goto.text} does not lead on from the rule's preference ${preference.text}; keepalived leaves it out`
    return [{ at: goto.at, message }]
  }
  return line.words.some(({ text }) => ACTIONS.includes(text))
    ? []
    : [{ at: line.at, message: 'the rule does not say what to do with its packets; keepalived leaves it out' }]
})

const rules = eachLine(['virtual_rules', 'static_rules'], line =>
  line.words.some(({ text }) => [...PREFERENCE, 'goto'].includes(text))
    ? []
    : [{ at: line.at, message: 'the rule has no preference; keepalived takes one from 16384 on' }],
)

export const routingRules: Rule[] = [
  {
    code: 'route-invalid',
    severity: 'error',
    rejected: true,
    title: 'A route that keepalived does not understand',
    why: 'keepalived leaves the route out, or the word (vrrp_iproute.c alloc_route).',
    remedy: 'Write it in the words of `ip route`.',
    check: routes,
  },
  {
    code: 'rule-invalid',
    severity: 'error',
    rejected: true,
    title: 'A routing rule that keepalived does not understand',
    why: 'keepalived leaves the rule out, or the word: protocol is a number, sport and dport are two of them, goto is decimal and needs a lower preference (vrrp_iprule.c alloc_rule).',
    remedy: 'Write it as from PREFIX table N preference N, with the whole words of `ip rule`.',
    check: ruleWords,
  },
  {
    code: 'rule-no-preference',
    severity: 'warning',
    rejected: true,
    title: 'A routing rule without a preference',
    why: 'keepalived takes one for it, which may stand before or behind those of the system (vrrp_iprule.c alloc_rule).',
    remedy: 'Write preference N.',
    check: rules,
  },
]
