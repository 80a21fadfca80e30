import { keyword } from '../../config/keepalived/parse.ts'
import type { Word } from '../../config/keepalived/tokenize.ts'
import type { Position } from '../../errors.ts'
import { all } from '../../config/keepalived/values.ts'
import { describeBound, seconds } from '../../model/bound.ts'
import { serverDownBound } from '../../model/health-check.ts'
import { ldirectordCheck, ldirectordDownBound, type LdirectordService } from '../../model/ldirectord.ts'
import type { Bound, RealServer, VirtualService } from '../../model/types.ts'
import { addressesOf } from '../../topology/addresses.ts'
import { contains, parseIpv4, parseSubnet, type Subnet } from '../../topology/ipv4.ts'
import type { Program } from '../../topology/director-files.ts'
import type { Topology } from '../../topology/types.ts'
import { type Director, EVERY_PROGRAM, type Found, type LintInput, type Rule } from '../rule.ts'
import { everyStatement, placeOf, statementAt } from '../statements.ts'
import { eachService } from './each-service.ts'
import { markedAddresses } from './marks.ts'

/** Every address that a director holds, or may: its VIPs, what it adds for good, what the topology gives it. */
const heldBy = ({ config, node, statements }: Director): Set<string> =>
  new Set([
    ...config.instances.flatMap(one => [...one.addresses, ...one.excludedAddresses]).map(vip => vip.address),
    ...all(statements, 'static_ipaddress')
      .flatMap(block => block.block ?? [])
      .map(line => line.words[0].text.replace(/\/.*/, '')),
    ...(node ? addressesOf(node) : []),
  ])

/** One finding for each place: a service of a group stands for many, and so do its servers. */
const onePerPlace = (found: Found[]): Found[] =>
  [...new Map(found.toReversed().map(one => [one.at, one])).values()].toReversed()

const vipNotHeld = eachService((service, director) => {
  const { address } = service
  const { config, name, program, node } = director
  const isKnown = program === 'keepalived' ? config.instances.length > 0 : node !== undefined
  if (address === undefined || !isKnown || heldBy(director).has(address)) return []
  const who = program === 'keepalived' ? `no vrrp_instance of ${name} holds` : `${name} does not hold`
  return [{ at: service.at, message: `${who} ${address}: nobody reaches the service` }]
})

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

/**
 * A sorry server gets what a real server would: with DR and TUN packets to the VIP, which only who holds it takes; with NAT
 * the kernel sends nothing to a loopback address (ip_vs_xmit.c ip_vs_nat_xmit).
 */
const sorryUnreachable = eachService((service, director, { topology }) => {
  const sorry = service.sorryServer
  if (!sorry) return []
  const method = sorryMethod(service, director)
  if (method === 'NAT') {
    if (!isLoopback(sorry.address)) return []
    const message = `with NAT nothing is sent to ${sorry.address}; the sorry server never answers`
    return [
      {
        at: sorry.at,
        message,
        remedy:
          'write an address that is not a loopback one, or DR for it: sorry_server_lvs_method DR, or gate in ldirectord.cf',
      },
    ]
  }
  const own = isLoopback(sorry.address) || heldBy(director).has(sorry.address)
  const vips = service.address === undefined ? markedAddresses(service, director) : [service.address]
  const node = topology?.nodes.find(one => addressesOf(one).includes(sorry.address))
  if (own || !node) return []
  const lacking = vips.filter(vip => !addressesOf(node).includes(vip))
  if (lacking.length === 0) return []
  const message = `with ${method} the sorry server gets packets to ${lacking.join(', ')}, which ${node.name} (${sorry.address}) does not hold`
  return [{ at: sorry.at, message }]
})

const sorryMethod = (service: VirtualService, director: Director): string => {
  const { fallback } = sectionOf(service, director) ?? {}
  if (fallback) return fallback.forwarding
  const block = statementAt(director, service.at)?.block ?? []
  return all(block, 'sorry_server_lvs_method').at(-1)?.words[1]?.text ?? service.forwarding
}

/** The section of ldirectord.cf that a service is of. */
const sectionOf = (service: VirtualService, { ldirectord }: Director): LdirectordService | undefined =>
  ldirectord?.services.find(one => one.service === service)

const persistenceDefeated = eachService((service, director) => {
  if (service.persistence === undefined) return []
  const at = placeOf(director, service, 'persistence_timeout', 'persistence_granularity')
  const ops = all(statementAt(director, service.at)?.block ?? [], 'ops')[0]
  const found: Found[] = ops
    ? [{ at, other: ops.at, message: `${service.name} is persistent and has ops: each packet is scheduled alone` }]
    : []
  const twin = director.config.services
    .slice(0, director.config.services.indexOf(service))
    .find(other => other.persistence !== undefined && isTwin(other, service))
  if (twin)
    found.push({
      at,
      other: twin.at,
      message: `${twin.name} and ${service.name} are persistent each on its own: a client may get one real server for the one and another for the other`,
      remedy: 'where that matters, mark both ports with one firewall mark and make one service of it',
    })
  return found
})

/** Two ports of one VIP with the same servers behind them: HTTP and HTTPS, usually. */
const isTwin = (a: VirtualService, b: VirtualService): boolean =>
  a.address !== undefined && a.address === b.address && a.port !== b.port && addresses(a) === addresses(b)

const addresses = (service: VirtualService): string =>
  service.realServers
    .map(server => server.address)
    .sort()
    .join(' ')

const weightZero = eachService((service, director) =>
  sum(service) === 0
    ? []
    : service.realServers
        .filter(server => server.weight === 0)
        .map(server => ({
          at: weightPlace(server, director),
          message: `real_server ${server.address}:${server.port} has weight 0: no new client is sent there`,
        })),
)

const weightsAllZero = eachService((service, director) => {
  const [first] = service.realServers
  if (!first || sum(service) > 0) return []
  const message = `every real server of ${service.name} has weight 0: nobody is sent anywhere`
  return [{ at: weightPlace(first, director), message }]
})

const FLAGS = ['hashed', 'sh-port', 'sh-fallback', 'mh-port', 'mh-fallback']

const flagUseless = eachService((service, director) => {
  const block = statementAt(director, service.at)?.block ?? []
  const useless = service.scheduler === 'sh' || service.scheduler === 'mh' ? [] : all(block, ...FLAGS)
  const ops = service.protocol === 'UDP' || service.fwmark !== undefined ? [] : all(block, 'ops')
  return [
    ...useless.map(({ at, words }) => ({
      at,
      message: `${words[0].text} is for sh and mh, and ${service.name} has ${service.scheduler}`,
    })),
    ...ops.map(({ at }) => ({ at, message: `ops is for UDP, and ${service.name} has ${service.protocol}` })),
  ]
})

const urlMissing = eachService(service =>
  service.realServers.flatMap(server =>
    server.checks
      .filter(({ type, urls }) => (type === 'HTTP_GET' || type === 'SSL_GET') && urls.length === 0)
      .map(({ at, keyword }) => ({
        at,
        message: `${keyword} of real_server ${server.address} has no url with a path`,
      })),
  ),
)

/** Words of a check that say where it connects to, or how (check_smtp.c smtp_check_end_handler). */
const CONNECTS = ['connect_ip', 'connect_port', 'bindto', 'bind_port', 'bind_if', 'fwmark', 'connect_timeout']

/** keepalived 2.3.3 puts the check of each host but the first twice into one list, which then has no end. */
const smtpHosts = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    everyStatement(director.statements)
      .filter(one => keyword(one) === 'SMTP_CHECK')
      .flatMap(({ block = [] }) => {
        const hosts = all(block, 'host')
        const further = all(block, ...CONNECTS).length > 0 ? hosts[0] : hosts[1]
        if (!further) return []
        return [{ at: further.at, message: 'keepalived 2.3.3 makes a check of this host, and never comes to an end' }]
      }),
  )

/** Options behind lvs_method, with how many words each has (check_parser.c svr_forwarding_handler). */
const METHOD_OPTIONS: Record<string, number> = { type: 2, port: 2, nocsum: 1, csum: 1, remcsum: 1 }

const methodOptions = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    everyStatement(director.statements)
      .filter(one => ['lb_kind', 'lvs_method', 'sorry_server_lvs_method'].includes(keyword(one)))
      .flatMap(({ words: [name, , ...rest] }) => {
        for (let n = 0; n < rest.length; ) {
          const { text, at } = rest[n] as Word
          const count = Object.hasOwn(METHOD_OPTIONS, text) ? METHOD_OPTIONS[text] : undefined
          if (count === undefined)
            return [{ at, message: `${text} is no option of ${name.text}; keepalived ignores the line` }]
          n += count
        }
        return []
      }),
  )

/** Where the packets of DR go: what a director has an address beside. */
const neighbours = ({ node, config }: Director, topology: Topology): Subnet[] =>
  [
    ...(node?.interfaces ?? []).flatMap(one => [
      topology.networks.find(network => network.name === one.network)?.subnet ?? '',
      ...one.addresses,
    ]),
    ...config.instances.flatMap(one => one.addresses).map(({ address, prefix }) => `${address}/${prefix}`),
  ].flatMap(text => parseSubnet(text) ?? [])

const serverFar = eachService((service, director, { topology }) => {
  if (!topology || !director.node) return []
  const near = neighbours(director, topology)
  return service.realServers.flatMap(({ address, forwarding, at }) => {
    const value = parseIpv4(address)
    if (forwarding !== 'DR' || value === undefined || address.startsWith('127.')) return []
    if (near.some(subnet => contains(subnet, value))) return []
    const message = `${address} is in no network of ${director.name}: with DR only a neighbour gets the packets`
    return [{ at, message }]
  })
})

const serviceTwice = eachService((service, { config }) => {
  const first = config.services.find(one => one.name === service.name)
  if (!first || first === service || first.at === service.at) return []
  const message = `${service.name} stands twice; the kernel has one service, and the real servers of both are in it`
  return [{ at: service.at, other: first.at, message }]
})

const weightPlace = (server: RealServer, director: Director): Position =>
  all(statementAt(director, server.at)?.block ?? [], 'weight').at(-1)?.at ?? server.at

/** ldirectord checks every server, and ipvsadm none. */
const checkMissing = eachService((service, { program }) =>
  service.realServers
    .filter(server => program === 'keepalived' && server.checks.length === 0)
    .map(server => ({
      at: server.at,
      message: `real_server ${server.address}:${server.port} has no check: when it fails, clients are sent there all the same`,
    })),
)

/** How long a server that answers nothing stays in the table. */
const silentBound = (service: VirtualService, server: RealServer, director: Director): Bound | undefined => {
  const own = sectionOf(service, director)
  if (!own || !director.ldirectord) return serverDownBound(server, 'silent')
  const check = ldirectordCheck(own, director.ldirectord)
  return check && ldirectordDownBound(check, 'silent')
}

const detectionSlow = eachService((service, director, { maxDetectionMs }) =>
  service.realServers.flatMap(server => {
    const bound = silentBound(service, server, director)
    if (maxDetectionMs === undefined || !bound || bound.maxMs <= maxDetectionMs) return []
    const at = server.checks[0]?.at ?? server.at
    const message = `a silent real_server ${server.address}:${server.port} stays in the table ${describeBound(bound)} (${bound.formula}), longer than ${seconds(maxDetectionMs)}`
    return [{ at, message }]
  }),
)

const sum = (service: VirtualService): number => service.realServers.reduce((total, one) => total + one.weight, 0)

const quorumNeedsAll = eachService((service, director) => {
  if (service.quorum < 2 || service.quorum + service.hysteresis <= sum(service)) return []
  const message = `${service.name} needs quorum ${service.quorum} + hysteresis ${service.hysteresis}, and all its weights are ${sum(service)}: once lost, the quorum never comes back`
  return [{ at: placeOf(director, service, 'hysteresis', 'quorum'), message }]
})

const WRITTEN: Record<Program, string> = { keepalived: 'lvs_sched ', ipvsadm: '-s ', ldirectord: 'scheduler=' }

const weightsUnused = eachService((service, director) => {
  const weights = new Set(service.realServers.map(server => server.weight).filter(weight => weight > 0))
  if (!['rr', 'lc'].includes(service.scheduler) || weights.size < 2) return []
  const message = `${service.scheduler} looks at no weights, and those of ${service.name} differ`
  return [
    {
      at: placeOf(director, service, 'lvs_sched', 'lb_algo'),
      message,
      remedy: `write ${WRITTEN[director.program]}w${service.scheduler}`,
    },
  ]
})

const strictVip = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    director.config.instances
      .filter(instance => instance.strict && instance.priority !== 255)
      .flatMap(instance => {
        const block = statementAt(director, instance.at)?.block ?? []
        if (all(block, 'accept').length > 0) return []
        const served = director.config.services.find(one => instance.addresses.some(vip => vip.address === one.address))
        const what = served ? `, ${served.name} among it` : ''
        const global = all(director.statements, 'global_defs').flatMap(one => all(one.block ?? [], 'vrrp_strict'))[0]
        const at = all(block, 'strict_mode').at(-1)?.at ?? global?.at ?? instance.at
        const message = `strict mode: ${instance.name} drops what is sent to its VIPs${what}`
        return [{ at, message, ...(served ? { other: served.at } : {}) }]
      }),
  )

const strictUnicast = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    director.config.instances
      .filter(instance => instance.strict && instance.unicastPeers.length > 0)
      .map(instance => ({
        at: placeOf(director, instance, 'unicast_peer'),
        message: `strict mode has no unicast_peer; keepalived of some versions refuses ${instance.name}, others ignore it`,
      })),
  )

const interfaceUnknown = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    director.config.instances.flatMap(instance => {
      const names = director.node?.interfaces.map(one => one.name) ?? []
      if (!director.node || names.includes(instance.interface) || instance.interface === 'lo') return []
      const message = `${director.name} has no interface ${instance.interface}; it has ${names.join(', ')}`
      return [{ at: placeOf(director, instance, 'interface'), message }]
    }),
  )

export const serviceRules: Rule[] = [
  {
    code: 'vip-not-held',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A service on an address that no instance holds',
    why: 'It stands in the IPVS table all the same, and no packet to that address comes to this director unless something else gives it the address.',
    remedy: 'Write the address into virtual_ipaddress of an instance, give it to the director, or correct it.',
    check: input => onePerPlace(vipNotHeld(input)),
  },
  {
    code: 'sorry-unreachable',
    severity: 'error',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A sorry server that cannot answer',
    why: 'With DR and TUN it gets packets to the VIP and must hold it, as a real server does; with NAT the kernel sends nothing to a loopback address (net/netfilter/ipvs/ip_vs_xmit.c).',
    remedy: 'Put the VIP on lo of the sorry server, or use 127.0.0.1 with DR.',
    check: sorryUnreachable,
  },
  {
    code: 'persistence-defeated',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'Persistence with what defeats it',
    why: 'One-packet scheduling keeps no connection and no template; each persistent service has templates of its own, so two ports of one VIP are persistent apart (net/netfilter/ipvs/ip_vs_core.c ip_vs_sched_persist).',
    remedy: 'Take ops out; make one service of both ports by a firewall mark.',
    check: persistenceDefeated,
  },
  {
    code: 'weight-zero',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A real server with weight 0',
    why: 'It is in the table and gets no new clients; those with a persistence template keep it.',
    remedy: 'Write a weight above 0, or take the server out.',
    check: weightZero,
  },
  {
    code: 'weights-all-zero',
    severity: 'error',
    rejected: true,
    programs: EVERY_PROGRAM,
    title: 'Every real server of a service has weight 0',
    why: 'The service has nobody to send clients to, and no quorum (check_data.c validate_check_config).',
    remedy: 'Write a weight above 0.',
    check: weightsAllZero,
  },
  {
    code: 'flag-useless',
    severity: 'error',
    rejected: true,
    title: 'A flag of another scheduler or protocol',
    why: 'keepalived ignores the flags of sh where another scheduler is used, and ops where the service is not UDP (check_parser.c lbflags_handler, check_data.c validate_check_config).',
    remedy: 'Take the flag out.',
    check: flagUseless,
  },
  {
    code: 'url-missing',
    severity: 'error',
    rejected: true,
    title: 'A web check without a URL',
    why: 'keepalived leaves the check out (check_http.c http_get_check_end).',
    remedy: 'Write a url block with a path.',
    check: urlMissing,
  },
  {
    code: 'method-option',
    severity: 'error',
    rejected: true,
    title: 'A forwarding method with an option that is none',
    why: 'keepalived ignores the whole line then, and takes NAT (check_parser.c svr_forwarding_handler).',
    remedy: 'Take it out; TUN alone has options: type ipip|gue|gre, port N, nocsum, csum, remcsum.',
    check: methodOptions,
  },
  {
    code: 'service-twice',
    severity: 'error',
    rejected: false,
    title: 'Two services on one address and port',
    why: 'keepalived takes both, and the kernel has one: scheduler and persistence are those of the first, and what is taken away from one is taken away from both.',
    remedy: 'Write the real servers into one virtual_server block.',
    check: serviceTwice,
  },
  {
    code: 'server-far',
    severity: 'error',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A real server behind DR that is no neighbour',
    why: 'DR changes nothing but the MAC address, so a router on the way sends the packet to the VIP, back to the director. Told where a topology gives the networks.',
    remedy: 'Correct the address, give the director an interface in that network, or use TUN.',
    check: serverFar,
  },
  {
    code: 'smtp-hosts',
    severity: 'error',
    rejected: true,
    title: 'An SMTP_CHECK with host blocks',
    why: 'keepalived calls them deprecated. From the second check on that comes of them, one with connect_timeout or the like in SMTP_CHECK itself being the first, keepalived 2.3.3 does not start and does not say so: it goes round in a list (check_smtp.c smtp_check_end_handler).',
    remedy: 'Write an SMTP_CHECK with connect_ip for each host.',
    check: smtpHosts,
  },
  {
    code: 'weights-unused',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'Weights that the scheduler does not look at',
    why: 'rr and lc treat all servers alike (net/netfilter/ipvs/ip_vs_rr.c, ip_vs_lc.c).',
    remedy: 'Use wrr or wlc.',
    check: weightsUnused,
  },
  {
    code: 'check-missing',
    severity: 'warning',
    rejected: false,
    title: 'A real server without a health check',
    why: 'keepalived takes it for healthy always.',
    remedy: 'Write a check into its block: TCP_CHECK at least.',
    check: input => onePerPlace(checkMissing(input)),
  },
  {
    code: 'detection-slow',
    severity: 'error',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A failed real server stays longer than --max-detection',
    why: 'delay_loop, timeouts and retries add up; the message has the sum for a server that answers nothing.',
    remedy:
      'Make delay_loop, connect_timeout, retry or delay_before_retry smaller; of ldirectord checkinterval, the timeout or failurecount.',
    check: detectionSlow,
  },
  {
    code: 'quorum-never-back',
    severity: 'error',
    rejected: false,
    title: 'A quorum that does not come back',
    why: 'It is regained at quorum + hysteresis, which is more than all weights together (check/ipwrapper.c update_quorum_state).',
    remedy: 'Keep quorum + hysteresis within the sum of the weights.',
    check: quorumNeedsAll,
  },
  {
    code: 'strict-drops',
    severity: 'error',
    rejected: false,
    title: 'Strict mode drops what is sent to the VIP',
    why: 'By the RFC a MASTER that is not the address owner takes no packets for the VIP: keepalived adds a packet filter rule that drops them, and IPVS never sees them (vrrp.c vrrp_complete_instance: accept).',
    remedy: 'Take vrrp_strict out; with version 3, `accept` is enough.',
    example: 'global_defs {\n  vrrp_strict\n}\n',
    check: strictVip,
  },
  {
    code: 'strict-unicast',
    severity: 'error',
    rejected: false,
    title: 'Strict mode with unicast peers',
    why: 'The RFC knows multicast alone: keepalived 2.1.5 and those from 2.4.0 on refuse it, those between start and differ after a reload (vrrp.c vrrp_complete_instance).',
    remedy: 'Take vrrp_strict out.',
    check: strictUnicast,
  },
  {
    code: 'interface-unknown',
    severity: 'error',
    rejected: true,
    title: 'An interface that the node does not have',
    why: 'keepalived does not start the instance (vrrp_parser.c vrrp_int_handler). Told where a topology describes the node.',
    remedy: 'Write the name that the interface has on the node.',
    check: interfaceUnknown,
  },
]
