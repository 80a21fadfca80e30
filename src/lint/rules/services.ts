import { keyword } from '../../config/keepalived/parse.ts'
import type { Word } from '../../config/keepalived/tokenize.ts'
import type { Position } from '../../errors.ts'
import { all } from '../../config/keepalived/values.ts'
import type { RealServer, VirtualService } from '../../model/types.ts'
import { addressesOf } from '../../topology/addresses.ts'
import { contains, parseIpv4, parseSubnet, type Subnet } from '../../topology/ipv4.ts'
import type { Program } from '../../topology/director-files.ts'
import type { Topology } from '../../topology/types.ts'
import { type Director, EVERY_PROGRAM, type Found, type LintInput, type Rule } from '../rule.ts'
import { everyStatement, placeOf, statementAt } from '../statements.ts'
import { eachService, onePerPlace, sectionOf } from './each-service.ts'
import { markedAddresses, rulesGiven } from './marks.ts'

/** Every address that a director holds, or may: its VIPs, what it adds for good, what the topology gives it. */
const heldBy = ({ config, node, statements }: Director): Set<string> =>
  new Set([
    ...config.instances.flatMap(one => [...one.addresses, ...one.excludedAddresses]).map(vip => vip.address),
    ...all(statements, 'static_ipaddress')
      .flatMap(block => block.block ?? [])
      .map(line => line.words[0].text.replace(/\/.*/, '')),
    ...(node ? addressesOf(node) : []),
  ])

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

const sorryAmongServers = eachService(({ name, sorryServer: sorry, realServers }) =>
  sorry && realServers.some(({ address, port }) => address === sorry.address && port === sorry.port)
    ? [
        {
          at: sorry.at,
          message: `the sorry server ${sorry.address}:${sorry.port} is a real server of ${name} as well: when all of those are dead, so is it`,
        },
      ]
    : [],
)

const serverOnLoopback = eachService(service =>
  service.realServers
    .filter(({ address, forwarding }) => forwarding === 'NAT' && isLoopback(address))
    .map(({ address, at }) => ({
      at,
      message: `with NAT nothing is sent to ${address}: the kernel drops what clients send`,
    })),
)

const sorryMethod = (service: VirtualService, director: Director): string => {
  const { fallback } = sectionOf(service, director) ?? {}
  if (fallback) return fallback.forwarding
  const block = statementAt(director, service.at)?.block ?? []
  return all(block, 'sorry_server_lvs_method').at(-1)?.words[1]?.text ?? service.forwarding
}

/** With `--pe sip` the kernel makes a connection of what a real server sends (ip_vs_core.c ip_vs_new_conn_out). */
const answersUnchanged = eachService((service, director) => {
  const { onePacket, persistenceEngine, name, realServers } = service
  const server = realServers.find(({ forwarding }) => forwarding === 'NAT')
  if (!onePacket || persistenceEngine !== undefined || !server) return []
  if (rulesGiven(director)?.some(rule => /-j (?:SNAT|MASQUERADE)/.test(rule))) return []
  const message = `${name} has ops: what a real server behind NAT answers comes from ${server.address}, which clients did not ask`
  return [{ at: placeOf(director, service, 'ops'), message }]
})

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

const sum = (service: VirtualService): number => service.realServers.reduce((total, one) => total + one.weight, 0)

const quorumNeedsAll = eachService((service, director) => {
  if (service.quorum < 2 || service.quorum + service.hysteresis <= sum(service)) return []
  const message = `${service.name} needs quorum ${service.quorum} + hysteresis ${service.hysteresis}, and all its weights are ${sum(service)}: it never has its quorum`
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
    code: 'sorry-among-servers',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A sorry server that is a real server of the same service',
    why: 'It is to answer when every real server is dead, and then it is dead too.',
    remedy: 'Name a server that is not among them.',
    check: input => onePerPlace(sorryAmongServers(input)),
  },
  {
    code: 'server-on-loopback',
    severity: 'error',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A real server on a loopback address behind NAT',
    why: 'The kernel rewrites no destination from outside to a loopback address, it drops the packet (net/netfilter/ipvs/ip_vs_xmit.c ip_vs_nat_xmit).',
    remedy:
      'Write an address of an interface of the director, or DR for the real server: it takes what comes for the VIP.',
    check: input => onePerPlace(serverOnLoopback(input)),
  },
  {
    code: 'ops-nat',
    severity: 'warning',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'One-packet scheduling with real servers behind NAT',
    why: 'Of a datagram that is scheduled alone the kernel keeps nothing, and so knows no answer: it passes with the address of the real server (net/netfilter/ipvs/ip_vs_conn.c ip_vs_conn_hash, ip_vs_nfct.c ip_vs_update_conntrack). Nothing is lost where nobody answers, as with syslog. Rules of the director with SNAT or MASQUERADE are taken to see to it.',
    remedy: 'Take ops out, or use DR or TUN.',
    check: answersUnchanged,
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
    code: 'quorum-never-back',
    severity: 'error',
    rejected: false,
    title: 'A quorum that is never there',
    why: 'It is gained at quorum + hysteresis, which is more than all weights together (check/ipwrapper.c update_quorum_state).',
    remedy: 'Keep quorum + hysteresis within the sum of the weights.',
    check: quorumNeedsAll,
  },
]
