import type { Position } from '../../errors.ts'
import { explainDualMaster } from '../../model/dual-master.ts'
import { byElection } from '../../model/pair.ts'
import { effectivePriority, settled } from '../../model/track.ts'
import type { VirtualService, VrrpInstance } from '../../model/types.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'
import { placeOf } from '../statements.ts'

interface Side {
  director: Director
  instance: VrrpInstance
}

/** Whose instance a cause of `explainDualMaster` is about. */
const sideAt = ({ directors }: LintInput, at: Position): Side | undefined => {
  for (const director of directors)
    for (const instance of director.config.instances) {
      const own = [instance.at, instance.authentication?.at]
      if (own.some(one => one === at)) return { director, instance }
    }
  return undefined
}

/** Instances of two directors that share a virtual_router_id and a VIP: a group, as far as paper can tell. */
const pairs = ({ directors }: LintInput): [Side, Side][] =>
  directors.flatMap((first, index) =>
    directors.slice(index + 1).flatMap(second =>
      first.config.instances.flatMap(a =>
        second.config.instances
          .filter(b => a.virtualRouterId === b.virtualRouterId && (shareVip(a, b) || a.name === b.name))
          .map((b): [Side, Side] => [
            { director: first, instance: a },
            { director: second, instance: b },
          ]),
      ),
    ),
  )

const shareVip = (a: VrrpInstance, b: VrrpInstance): boolean =>
  a.addresses.some(vip => b.addresses.some(other => other.address === vip.address))

/** Two groups that happen to have one number: other VIPs, other names. */
const strangers = (a: VrrpInstance, b: VrrpInstance): boolean =>
  a.addresses.length > 0 && b.addresses.length > 0 && !shareVip(a, b) && a.name !== b.name

/** A name alone makes no group: every second instance is called VI_1. */
const unrelated = (a: VrrpInstance, b: VrrpInstance): boolean =>
  a.virtualRouterId !== b.virtualRouterId && !shareVip(a, b)

const KEYWORDS: Record<string, string[]> = {
  'multicast group': ['mcast_dst_ip'],
  auth_type: ['authentication'],
  vrid: ['virtual_router_id'],
}

/** What `explainDualMaster` finds of one kind, at the line that differs. */
const differing =
  (what: string, ofStrangers = false) =>
  (input: LintInput): Found[] =>
    explainDualMaster(input.directors.map(director => director.config)).flatMap(cause => {
      const [one, two] = cause.at.map(at => sideAt(input, at))
      if (cause.what !== what || !one || !two || unrelated(one.instance, two.instance)) return []
      if (strangers(one.instance, two.instance) !== ofStrangers) return []
      const places = [one, two].map(side =>
        placeOf(side.director, side.instance, ...(KEYWORDS[ofStrangers ? 'vrid' : what] ?? [what])),
      ) as [Position, Position]
      const [other, at] = what === 'auth_pass' ? cause.at : places
      const message = ofStrangers
        ? `virtual_router_id ${two.instance.virtualRouterId} is that of ${one.instance.name} on ${one.director.name} too, which holds other VIPs`
        : cause.message
      return [{ at, other, message }]
    })

const DROP =
  'keepalived drops adverts that differ from its own configuration (vrrp.c vrrp_check_packet): neither hears the other, and both become MASTER.'

const difference = (
  code: string,
  what: string,
  title: string,
  why = DROP,
  remedy = 'Write the same on every director.',
): Rule => ({
  code,
  severity: 'error',
  rejected: false,
  title,
  why,
  remedy,
  check: differing(what),
})

const priorityEqual = (input: LintInput): Found[] =>
  pairs(input).flatMap(([one, two]) => {
    if (settled(one.instance).priority !== settled(two.instance).priority) return []
    const [other, at] = [one, two].map(side => placeOf(side.director, side.instance, 'priority')) as [
      Position,
      Position,
    ]
    const message = `priority ${two.instance.priority} is that of ${one.instance.name} on ${one.director.name} too; who is MASTER is whoever comes first`
    return [{ at, other, message }]
  })

const bothMaster = (input: LintInput): Found[] =>
  pairs(input).flatMap(([one, two]) => {
    if (one.instance.state !== 'MASTER' || two.instance.state !== 'MASTER') return []
    const [other, at] = [one, two].map(side => placeOf(side.director, side.instance, 'state')) as [Position, Position]
    return [{ at, other, message: `state MASTER stands on ${one.director.name} and on ${two.director.name}` }]
  })

/** The priority that is left when one thing that is tracked has failed must be below that of the next director. */
const weightBelowGap = (input: LintInput): Found[] =>
  pairs(input).flatMap(sides => {
    const rank = ({ instance }: Side) => ({ priority: settled(instance).priority, address: '0.0.0.0' })
    const [master, backup] = sides.toSorted((a, b) => byElection(rank(a), rank(b))) as [Side, Side]
    const [own, next] = [rank(master).priority, rank(backup).priority]
    if (own === next) return []
    const { instance } = master
    const tracked = [
      ...instance.trackScripts.map(one => ({
        ...one,
        name: one.script.name,
        state: { scripts: { [one.script.name]: one.reverse } },
        verb: one.reverse ? 'succeeds' : 'fails',
      })),
      ...instance.trackInterfaces.map(one => ({
        ...one,
        name: one.interface,
        state: { interfaces: { [one.interface]: false } },
        verb: 'fails',
      })),
    ]
    return tracked.flatMap(({ name, at, state, verb }) => {
      const left = effectivePriority(instance, state)
      if (left === 'FAULT' || isTakenOver(input, [master, backup], left)) return []
      if (left < next && backup.instance.preempt) return []
      const when = `when ${name} ${verb}, ${master.director.name} goes from priority ${own} to ${left}`
      const why =
        left < next
          ? `below ${next} of ${backup.director.name}, which has nopreempt and leaves it the VIP`
          : `which is not below ${next} of ${backup.director.name}`
      const message = `${when}, ${why}: it stays MASTER`
      return [{ at, other: placeOf(backup.director, backup.instance, 'priority'), message }]
    })
  })

/** Whether a third director takes over from one with so low a priority. */
const isTakenOver = (input: LintInput, [{ instance }, backup]: [Side, Side], left: number): boolean =>
  input.directors
    .flatMap(director => director.config.instances)
    .some(
      one =>
        one !== instance &&
        one !== backup.instance &&
        one.virtualRouterId === instance.virtualRouterId &&
        shareVip(one, instance) &&
        one.preempt &&
        settled(one).priority > left,
    )

/** Where the adverts of a director come from, as far as its configuration or the topology says. */
const sourceOf = ({ director, instance }: Side): string | undefined =>
  instance.sourceAddress ?? director.node?.interfaces.find(one => one.name === instance.interface)?.address

const peersUnmatched = (input: LintInput): Found[] =>
  pairs(input).flatMap(([one, two]) =>
    (
      [
        [one, two],
        [two, one],
      ] as const
    ).flatMap(([side, other]) => {
      const source = sourceOf(other)
      const { unicastPeers } = side.instance
      if (source === undefined || unicastPeers.length === 0 || other.instance.unicastPeers.length === 0) return []
      if (unicastPeers.includes(source)) return []
      const message = `unicast_peer of ${side.director.name} has ${unicastPeers.join(', ')}, and ${other.director.name} sends from ${source}`
      return [
        {
          at: placeOf(side.director, side.instance, 'unicast_peer'),
          other: placeOf(other.director, other.instance, 'unicast_src_ip'),
          message,
        },
      ]
    }),
  )

const spoken = (service: VirtualService): Record<string, string> => ({
  lvs_sched: service.scheduler,
  lvs_method: service.forwarding,
  persistence_timeout: service.persistence === undefined ? 'none' : `${service.persistence / 1000}`,
  real_server: service.realServers
    .map(({ address, port, weight }) => `${address}:${port} weight ${weight}`)
    .sort()
    .join(', '),
})

/** Only directors of one VRRP group are a pair; others may serve what they like. */
const serviceDiffers = (input: LintInput): Found[] => {
  const partners = new Set(pairs(input).map(([one, two]) => JSON.stringify([one.director.name, two.director.name])))
  return input.directors.flatMap((first, index) =>
    input.directors.slice(index + 1).flatMap(second => {
      if (!partners.has(JSON.stringify([first.name, second.name]))) return []
      const compare = (a: Director, b: Director, both: boolean): Found[] =>
        b.config.services.flatMap((service): Found[] => {
          const other = a.config.services.find(one => one.name === service.name)
          if (!other) return [{ at: service.at, message: `${a.name} has no ${service.name}, and ${b.name} has` }]
          const [left, right] = [spoken(other), spoken(service)]
          return Object.keys(right)
            .filter(what => both && left[what] !== right[what])
            .map(what => ({
              at: placeOf(b, service, what),
              other: placeOf(a, other, what),
              message: `${what} of ${service.name} differs (${a.name}: ${left[what]}, ${b.name}: ${right[what]})`,
            }))
        })
      return [...compare(first, second, true), ...compare(second, first, false)]
    }),
  )
}

export const pairRules: Rule[] = [
  difference('auth-pass-differs', 'auth_pass', 'auth_pass differs between directors of one group'),
  difference('auth-type-differs', 'auth_type', 'auth_type differs between directors of one group'),
  difference('advert-int-differs', 'advert_int', 'advert_int differs between directors of one group'),
  difference('version-differs', 'version', 'The VRRP version differs between directors of one group'),
  difference(
    'vips-differ',
    'virtual_ipaddress',
    'The VIP lists differ between directors of one group',
    'keepalived before 2.3.3 drops adverts with other VIPs, and both directors become MASTER; from 2.3.3 on it warns, and a failover loses the VIPs that the other does not have (vrrp.c vrrp_check_packet).',
  ),
  difference(
    'vrid-differs',
    'virtual_router_id',
    'Two directors hold a VIP with different virtual_router_id',
    'They are two groups, and each has a MASTER of its own: both hold the VIP.',
  ),
  difference('multicast-differs', 'multicast group', 'The multicast group differs between directors of one group'),
  difference(
    'unicast-differs',
    'unicast_peer',
    'One director sends to its peers alone, the other to the multicast group',
    DROP,
    'Write unicast_peer on both, or on none.',
  ),
  {
    code: 'vrid-clash',
    severity: 'error',
    rejected: false,
    title: 'Two groups have one virtual_router_id',
    why: 'On one network each takes the adverts of the other for those of its own group, drops them, and logs it with each one.',
    remedy: 'Give each group of a network a virtual_router_id of its own.',
    check: differing('virtual_ipaddress', true),
  },
  {
    code: 'priority-equal',
    severity: 'warning',
    rejected: false,
    title: 'Directors of one group have equal priorities',
    why: 'Who is MASTER is whoever comes first; of two that are, the one with the higher address stays (RFC 3768 6.4.3).',
    remedy: 'Give the director that is to be MASTER the higher priority.',
    check: priorityEqual,
  },
  {
    code: 'master-twice',
    severity: 'info',
    rejected: false,
    title: 'state MASTER on more than one director',
    why: 'state says only how an instance starts; the priority decides. nopreempt and preempt_delay work with state BACKUP alone.',
    remedy: 'Write state BACKUP on all but one.',
    check: bothMaster,
  },
  {
    code: 'track-weight-small',
    severity: 'error',
    rejected: false,
    title: 'A tracked failure does not make the MASTER the lower one',
    why: 'The weight is smaller than the gap between the priorities, or the other one has nopreempt and takes adverts of any lower priority, so the VIPs stay where the script or the interface has failed (vrrp_track.c vrrp_set_effective_priority, vrrp.c vrrp_state_backup).',
    remedy: 'Write a weight that is larger than the gap, and no nopreempt; or no weight: then a failure is a FAULT.',
    check: weightBelowGap,
  },
  {
    code: 'unicast-peer-unmatched',
    severity: 'error',
    rejected: false,
    title: 'Unicast peers do not point at each other',
    why: 'Adverts go to the addresses of unicast_peer alone; a director that is not among them hears nothing and becomes MASTER.',
    remedy: 'Write the unicast_src_ip of the other director into unicast_peer, on both.',
    check: peersUnmatched,
  },
  {
    code: 'service-differs',
    severity: 'warning',
    rejected: false,
    title: 'The directors of a pair do not serve the same',
    why: 'After a failover clients meet another service than before.',
    remedy: 'Keep the virtual_server blocks of both directors alike.',
    check: serviceDiffers,
  },
]
