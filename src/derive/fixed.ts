import { LvslabError } from '../errors.ts'
import { ownerOf } from '../model/fixed-vip.ts'
import type { LdirectordConfig, LdirectordService } from '../model/ldirectord.ts'
import type { DirectorConfig, HealthCheck, RealServer, VipAddress } from '../model/types.ts'
import { UNSPOKEN } from './stubs.ts'
import { parseIpv4 } from '../topology/ipv4.ts'
import type { Draft } from './draft.ts'
import { numberOf } from './ipv6.ts'
import { WITHOUT_WIRE } from './links.ts'
import { isSix } from './unbuilt.ts'

/** What a director without VRRP is configured to do; how ldirectord checks, where it is ldirectord that does. */
export type WithServices = DirectorConfig & { ldirectord?: LdirectordConfig }

/** The addresses of its services, which a director without VRRP must have for good. */
const addressesOf = ({ services }: WithServices): string[] => [
  ...new Set(
    services.flatMap(({ address = '' }) => ((parseIpv4(address) ?? numberOf(address)) === undefined ? [] : [address])),
  ),
]

/** Where `static_ipaddress` puts an address of its services. */
const givenOf = (config: WithServices): VipAddress[] => {
  const addresses = addressesOf(config)
  return (config.statics?.addresses ?? []).filter(one => addresses.includes(one.address))
}

const onWire = (config: WithServices): VipAddress[] =>
  givenOf(config).filter(({ device }) => !WITHOUT_WIRE.includes(device))

/** The interface that its clients come in by. */
const entryOf = (config: WithServices): string => onWire(config)[0]?.device ?? 'eth0'

/** Whether a keepalived has services at addresses, and no VRRP that holds one. */
export const hasAddressesAlone = (config: DirectorConfig): boolean =>
  config.instances.length === 0 && addressesOf(config).length > 0

/**
 * What a draft is made of for a director without VRRP: nothing says who has the addresses of its services, so it is he who has
 * them, and keeps them; and its real servers with what ldirectord asks of them.
 *
 * @throws LvslabError DERIVE_NOTHING where no service has an address that a node can have
 */
export const withOwnAddresses = (config: WithServices): DirectorConfig => {
  const [at] = config.services.map(service => service.at)
  const addresses = addressesOf(config)
  if (!at || addresses.length === 0)
    throw new LvslabError(
      'DERIVE_NOTHING',
      `${at ? 'no service' : 'nothing that can be read'} of ${config.node} has an address that a node can have`,
      {
        remedy:
          'write topology.yaml yourself, see "A scenario" in CONTRIBUTING.md; `lvslab lint` says what is wrong with the configuration',
        exitCode: 2,
      },
    )
  const services = config.services.map(service => {
    const section = config.ldirectord?.services.find(one => one.service === service)
    if (!section) return service
    return {
      ...service,
      realServers: service.realServers.map(server => ({ ...server, checks: asked(section, server) })),
    }
  })
  const owner = ownerOf(entryOf(config), addresses, at)
  const given = new Map(onWire(config).map(one => [one.address, one.device]))
  const held = owner.addresses.map(one => ({ ...one, device: given.get(one.address) ?? one.device }))
  return { ...config, instances: [{ ...owner, addresses: held }], services }
}

/**
 * The addresses go onto lo of the director, which answers ARP for them on every network; the operator may know better. Those of IPv6
 * go onto its interface: nobody answers for what is on lo (net/ipv6/ndisc.c `ndisc_recv_ns`).
 *
 * @param scripted what its own rc.local puts on lo, and could not put there a second time
 */
export const holdAddresses = (draft: Draft, config: WithServices, scripted: string[]): Draft => {
  const given = [...givenOf(config).map(one => one.address), ...scripted]
  const entry = entryOf(config)
  const addresses = addressesOf(config).filter(address => !given.includes(address))
  const [six, four] = [addresses.filter(isSix), addresses.filter(address => !isSix(address))]
  const questions = addresses.map(
    address =>
      `${config.node}: nothing says who has ${address}: ${config.node} has it on ${isSix(address) ? entry : 'lo'}, and keeps it`,
  )
  const nodes = draft.nodes.map(node =>
    node.name === config.node
      ? {
          ...node,
          loopback: four.map(address => `${address}/32`),
          interfaces: node.interfaces.map(one =>
            one.name === entry && six.length > 0
              ? // before its own, which the kernel then speaks from: it takes the last of equal ones
                { ...one, addresses: [...six.map(address => `${address}/64`), ...(one.addresses ?? [])] }
              : one,
          ),
        }
      : node,
  )
  return { ...draft, nodes, questions: [...questions, ...draft.questions] }
}

/** What ldirectord asks of a real server, in the words of keepalived: a stub has to answer it, whoever asks. */
const asked = (section: LdirectordService, server: RealServer): HealthCheck[] => {
  const { checkType, protocol, checkPort, command, service } = section
  const check = (type: HealthCheck['type'], more: Partial<HealthCheck> = {}): HealthCheck => ({
    ...{ type, keyword: `checktype=${checkType}`, urls: [], fastRecovery: false, alpha: false, at: service.at },
    ...{ connectTimeout: 0, retry: 0, delayBeforeRetry: 0, delayLoop: 0, warmup: 0 },
    ...(checkPort === undefined ? {} : { target: { port: checkPort } }),
    ...more,
  })
  switch (checkType) {
    case 'on':
    case 'off':
      return []
    case 'ping':
      return [check('PING_CHECK')]
    case 'connect':
      return [check(service.protocol === 'UDP' ? 'PING_CHECK' : 'TCP_CHECK')] // ldirectord _check_real
    case 'external':
    case 'external-perl':
      return [check('MISC_CHECK', { misc: { path: command ?? '/bin/true', timeout: 0, dynamic: false } })]
    case 'negotiate':
    case 'combined': {
      if (protocol === 'none') return []
      const { request, receive } = section.asked.find(one => one.server === server) ?? { request: '/', receive: '' }
      const urls = [{ path: request, ...(receive === '' ? {} : { wants: 'regex' as const }) }]
      if (protocol === 'http') return [check('HTTP_GET', { urls })]
      if (protocol === 'https') return [check('SSL_GET', { urls })]
      // of the others a stub speaks SMTP: ldirectord's question to a DNS server wants a record
      return [check(protocol === 'smtp' ? 'SMTP_CHECK' : 'OTHER', { keyword: `${UNSPOKEN}${protocol}` })]
    }
  }
}
