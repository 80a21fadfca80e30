import type { Statement } from '../../config/keepalived/parse.ts'
import type { Word } from '../../config/keepalived/tokenize.ts'
import { all } from '../../config/keepalived/values.ts'
import type { Found, LintInput, Rule } from '../rule.ts'

/** The names in the `group` of a vrrp_sync_group, each where it stands. */
const membersOf = (block: Statement[]): Word[] =>
  all(block, 'group').flatMap(one => (one.block ?? []).flatMap(line => line.words))

const syncGroupTwice = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements }) => {
    const seen = new Map<string, string>()
    return all(statements, 'vrrp_sync_group').flatMap(({ block = [], words }) => {
      const name = words[1]?.text ?? ''
      return membersOf(block).flatMap(({ text, at }) => {
        const first = seen.get(text)
        seen.set(text, first ?? name)
        return first === undefined
          ? []
          : [{ at, message: `${text} is in ${first} already; keepalived ignores it in ${name}` }]
      })
    })
  })

const syncGroup = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    all(director.statements, 'vrrp_sync_group').flatMap(group => {
      const known = all(director.statements, 'vrrp_instance').map(one => one.words[1]?.text)
      const members = membersOf(group.block ?? [])
      const name = group.words[1]?.text ?? ''
      const strangers = members.filter(member => !known.includes(member.text))
      const found: Found[] = strangers.map(member => ({
        at: member.at,
        message: `there is no vrrp_instance ${member.text}; keepalived ignores it in ${name}`,
      }))
      if (members.length - strangers.length < 2)
        found.push({
          at: group.at,
          message: `vrrp_sync_group ${name} has ${members.length - strangers.length} instances; two at least make a group`,
        })
      return found
    }),
  )

export const syncGroupRules: Rule[] = [
  {
    code: 'sync-group-weight',
    severity: 'error',
    rejected: true,
    title: 'A weight of something that a member of a sync group tracks',
    why: 'The members go together, so a failure without weight moves all of them and one with a weight moves none: keepalived says that it ignores it (vrrp.c vrrp_complete_instance).',
    remedy: 'Take the weight out, or write sync_group_tracking_weight into the group.',
    notice: /^\S+ is in vrrp_sync_group \S+: keepalived (?:says that it )?ignores /,
  },
  {
    code: 'sync-group-twice',
    severity: 'error',
    rejected: true,
    title: 'An instance is in two sync groups',
    why: 'keepalived takes the first (vrrp_sync.c vrrp_sync_set_group).',
    remedy: 'Make one group of both, or take the instance out of one.',
    check: syncGroupTwice,
  },
  {
    code: 'sync-group-small',
    severity: 'error',
    rejected: true,
    title: 'A sync group that names no instance, or one alone',
    why: 'keepalived ignores names that it does not know, and a group of one keeps nothing together (vrrp_sync.c vrrp_sync_set_group).',
    remedy: 'Write the names of two vrrp_instance blocks at least.',
    check: syncGroup,
  },
]
