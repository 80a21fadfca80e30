import { isIP } from 'node:net'
import { keyword } from '../../config/keepalived/parse.ts'
import { all } from '../../config/keepalived/values.ts'
import { namedDevices } from '../../model/devices.ts'
import type { VipAddress, VrrpInstance } from '../../model/types.ts'
import { formatSubnet, parseIpv4, parseSubnet } from '../../topology/ipv4.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'
import { placeOf, statementAt } from '../statements.ts'

const eachInstance =
  (judge: (instance: VrrpInstance, director: Director) => Found[]) =>
  ({ directors }: LintInput): Found[] =>
    directors.flatMap(director => director.config.instances.flatMap(instance => judge(instance, director)))

const blockOf = (director: Director, instance: VrrpInstance) => statementAt(director, instance.at)?.block ?? []

/** Also of instances that keepalived refuses: what is missing is told at once. */
const vipMissing = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements, config }) =>
    all(statements, 'vrrp_instance')
      .filter(({ at, block = [] }) => {
        if (all(block, 'no_virtual_ipaddress').length > 0) return false
        const read = config.instances.find(one => one.at === at)
        return (read?.addresses ?? all(block, 'virtual_ipaddress').flatMap(one => one.block ?? [])).length === 0
      })
      .map(({ at, words }) => ({ at, message: `vrrp_instance ${words[1]?.text ?? ''} has no VIP` })),
  )

/** Words that keepalived resets without another (vrrp.c `vrrp_complete_instance`). */
const NEEDS: {
  word: string
  needs: string
  isMet: (instance: VrrpInstance, has: (word: string) => boolean) => boolean
}[] = [
  { word: 'timer_expired_backup', needs: 'nopreempt', isMet: (_, has) => has('nopreempt') },
  { word: 'owner_ignore_adverts', needs: 'priority 255', isMet: ({ priority }) => priority === 255 },
  { word: 'vmac_xmit_base', needs: 'use_vmac', isMet: (_, has) => has('use_vmac') },
]

const optionUseless = eachInstance((instance, director) => {
  const block = blockOf(director, instance)
  return NEEDS.filter(({ isMet }) => !isMet(instance, word => all(block, word).length > 0)).flatMap(({ word, needs }) =>
    all(block, word).map(({ at }) => ({
      at,
      message: `${word} is for ${needs}, which ${instance.name} does not have`,
    })),
  )
})

const unicastVmac = eachInstance((instance, director) => {
  const block = blockOf(director, instance)
  const vmac = all(block, 'use_vmac').at(-1)
  if (!vmac || instance.unicastPeers.length === 0 || all(block, 'vmac_xmit_base').length > 0) return []
  const message = `${instance.name} has unicast_peer and use_vmac: keepalived sends from ${instance.interface} itself, as with vmac_xmit_base`
  return [{ at: vmac.at, message }]
})

const interfaceAlias = eachInstance((instance, director) => {
  const [name, alias] = instance.interface.split(':')
  if (alias === undefined) return []
  const at = placeOf(director, instance, 'interface')
  return [
    { at, message: `${instance.interface} is a label of ${name} and no interface`, remedy: `write interface ${name}` },
  ]
})

const peerTwice = eachInstance((instance, director) => {
  const peers = all(blockOf(director, instance), 'unicast_peer')
    .flatMap(one => one.block ?? [])
    .map(line => ({ text: keyword(line).replace(/\/.*/s, ''), at: line.at }))
  return peers.flatMap(({ text, at }, index) => {
    const first = peers.slice(0, index).find(one => one.text === text)
    return first ? [{ at, other: first.at, message: `${text} stands twice; keepalived ignores the second` }] : []
  })
})

/** What keepalived compares of two VIPs where one is excluded: the device counts, as it is written (vrrp_data.c `vip_is_duplicate`). */
const excludedTwice = eachInstance((instance, director) => {
  const keyOf = ({ address, at }: VipAddress): string => {
    const words = statementAt(director, at)?.words.map(word => word.text) ?? []
    const device = words.includes('dev') ? words[words.indexOf('dev') + 1] : undefined
    return [address, ...(device === undefined ? [] : [device])].join(' dev ')
  }
  const vips = [...instance.addresses, ...instance.excludedAddresses].map(vip => ({ text: keyOf(vip), at: vip.at }))
  return vips.slice(instance.addresses.length).flatMap(({ text, at }, index) => {
    const first = vips.slice(0, instance.addresses.length + index).find(one => one.text === text)
    return first ? [{ at, other: first.at, message: `${text} stands twice; keepalived ignores the second` }] : []
  })
})

/** VIPs that are the first or the last address of their own subnet; a /31 has no such addresses (RFC 3021), a /32 is none. */
const vipAtEnd = (end: 'first' | 'last', what: string) =>
  eachInstance(({ addresses, excludedAddresses }) =>
    [...addresses, ...excludedAddresses].flatMap(({ address, prefix, at }) => {
      const subnet = parseSubnet(`${address}/${prefix}`)
      if (!subnet || prefix > 30 || parseIpv4(address) !== subnet[end]) return []
      return [{ at, message: `${address} is the ${what} address of its own subnet ${formatSubnet(subnet)}` }]
    }),
  )

/** IPv4 packets have a byte for the count, IPv6 ones have room for fewer in the 1500 bytes of an Ethernet frame. */
const MOST_VIPS = { 4: 255, 6: 89 } as const

const vipsMany = eachInstance((instance, director) => {
  const most = MOST_VIPS[instance.addresses[0]?.address.includes(':') ? 6 : 4]
  if (instance.addresses.length <= most) return []
  const message = `${instance.name} has ${instance.addresses.length} VIPs, and an advert has room for ${most}`
  return [{ at: placeOf(director, instance, 'virtual_ipaddress'), message }]
})

const ipvlanNoAddress = eachInstance((instance, director) => {
  const line = all(blockOf(director, instance), 'use_ipvlan').at(-1)
  const isSix = instance.addresses[0]?.address.includes(':')
  if (!line || isSix || line.words.slice(1).some(({ text }) => isIP(text.replace(/\/.*/s, '')) !== 0)) return []
  return [
    { at: line.at, message: `use_ipvlan of ${instance.name} names no address: keepalived sets the instance to FAULT` },
  ]
})

const vridTwice = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    director.config.instances.flatMap((instance, index) => {
      const first = director.config.instances
        .slice(0, index)
        .find(
          one =>
            one.interface === instance.interface &&
            one.virtualRouterId === instance.virtualRouterId &&
            one.addresses[0]?.address.includes(':') === instance.addresses[0]?.address.includes(':'),
        )
      if (!first) return []
      const message = `virtual_router_id ${instance.virtualRouterId} is that of ${first.name} on ${first.interface} too`
      return [
        {
          at: placeOf(director, instance, 'virtual_router_id'),
          other: placeOf(director, first, 'virtual_router_id'),
          message,
        },
      ]
    }),
  )

const UNICAST = ['unicast_src_ip', 'unicast_peer', 'unicast_ttl', 'check_unicast_src', 'old_unicast_checksum']

const unicastNoPeer = eachInstance((instance, director) => {
  const block = blockOf(director, instance)
  const line = all(block, ...UNICAST).at(-1)
  // it is in FAULT then, and sends nothing
  if (!line || instance.unicastPeers.length > 0 || all(block, 'unicast_fault_no_peer').length > 0) return []
  return [
    {
      at: line.at,
      message: `${instance.name} has ${keyword(line)} and no peer; keepalived sends to the multicast group`,
    },
  ]
})

const ahWithMaster = eachInstance((instance, director) =>
  instance.state === 'MASTER' && instance.authentication?.type === 'AH'
    ? [
        {
          at: placeOf(director, instance, 'state'),
          message: `state MASTER of ${instance.name} does not work with auth_type AH; keepalived takes BACKUP`,
        },
      ]
    : [],
)

const ownerWeight = eachInstance(({ name, priority, trackScripts, trackInterfaces, trackObjects = [] }) =>
  priority < 255
    ? []
    : [...trackScripts, ...trackInterfaces, ...trackObjects]
        .filter(({ weight }) => weight !== 0)
        .map(({ at }) => ({ at, message: `${name} has priority 255, where weights have no effect` })),
)

const strictVip = eachInstance((instance, director) => {
  const block = blockOf(director, instance)
  if (!instance.strict || instance.priority === 255 || all(block, 'accept').length > 0) return []
  const served = director.config.services.find(one => instance.addresses.some(vip => vip.address === one.address))
  const what = served ? `, ${served.name} among it` : ''
  const global = all(director.statements, 'global_defs').flatMap(one => all(one.block ?? [], 'vrrp_strict'))[0]
  const at = all(block, 'strict_mode').at(-1)?.at ?? global?.at ?? instance.at
  const message = `strict mode: ${instance.name} drops what is sent to its VIPs${what}`
  return [{ at, message, ...(served ? { other: served.at } : {}) }]
})

const strictUnicast = eachInstance((instance, director) => {
  if (!instance.strict || instance.unicastPeers.length === 0) return []
  const message = `strict mode has no unicast_peer; keepalived of some versions refuses ${instance.name}, others ignore it`
  return [{ at: placeOf(director, instance, 'unicast_peer'), message }]
})

const interfaceUnknown = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const { name, node, config } = director
    if (!node) return []
    const globals = all(director.statements, 'global_defs').flatMap(one => one.block ?? [])
    if (all(globals, 'dynamic_interfaces').length > 0) return [] // one may come later
    const names = node.interfaces.map(one => one.name)
    const known = new Set(['lo', ...names, ...node.tunnels.map(one => one.name)])
    const own = config.instances.map(one => ({ device: one.interface, at: placeOf(director, one, 'interface') }))
    // an instance's VIPs are on its interface, which is told already
    const beside = namedDevices(config).filter(({ device }) => own.every(one => one.device !== device))
    return [...own, ...beside]
      .filter(({ device }) => !known.has(device))
      .map(({ device, at }) => ({ at, message: `${name} has no interface ${device}; it has ${names.join(', ')}` }))
  })

export const vrrpRules: Rule[] = [
  {
    code: 'vip-missing',
    severity: 'error',
    rejected: true,
    title: 'An instance without a VIP',
    why: 'It elects a MASTER, and nothing moves (vrrp.c vrrp_complete_instance).',
    remedy: 'Write virtual_ipaddress, or no_virtual_ipaddress where that is meant.',
    check: vipMissing,
  },
  {
    code: 'interface-alias',
    severity: 'error',
    rejected: true,
    title: 'A label where an interface should be',
    why: 'eth0:1 is a label of an address on eth0; keepalived finds no interface of that name, and the instance is in FAULT (vrrp.c vrrp_complete_instance).',
    remedy: 'Write the interface; the VIP may have the label: 10.0.0.100/24 dev eth0 label eth0:1.',
    check: interfaceAlias,
  },
  {
    code: 'address-twice',
    severity: 'error',
    rejected: true,
    title: 'A VIP or a peer stands twice in an instance',
    why: 'keepalived ignores the second (vrrp_data.c vip_is_duplicate, alloc_vrrp_unicast_peer).',
    remedy: 'Take one of them out.',
    notice: /^VIP \S+ stands twice/,
    check: input => [...peerTwice(input), ...excludedTwice(input)],
  },
  {
    code: 'vip-broadcast',
    severity: 'error',
    rejected: false,
    title: 'A VIP is the broadcast address of its own subnet',
    why: 'keepalived adds it, and whoever has an address in that subnet sends broadcasts to it: no TCP connection begins (Linux net/ipv4/fib_frontend.c fib_add_ifaddr).',
    remedy: 'Write the prefix of the network that the VIP is in, /32, or another address.',
    example: 'virtual_ipaddress {\n  10.0.0.111/28\n}\n',
    check: vipAtEnd('last', 'broadcast'),
  },
  {
    code: 'vip-network',
    severity: 'warning',
    rejected: false,
    title: 'A VIP is the network address of its own subnet',
    why: 'Systems that take the lowest address for a broadcast address open no connection to it in that subnet (draft-schoen-intarea-unicast-lowest-address); the kernel of the labs does.',
    remedy: 'Write the prefix of the network that the VIP is in, /32, or another address.',
    check: vipAtEnd('first', 'network'),
  },
  {
    code: 'vips-many',
    severity: 'error',
    rejected: true,
    title: 'More VIPs than an advert has room for',
    why: 'keepalived moves those behind the last that fits into virtual_ipaddress_excluded: they go with the others, and no backup compares them (vrrp.c vrrp_complete_instance).',
    remedy:
      'Leave the VIPs that are to be compared in virtual_ipaddress, and write the others into virtual_ipaddress_excluded.',
    check: vipsMany,
  },
  {
    code: 'ipvlan-no-address',
    severity: 'error',
    rejected: true,
    title: 'use_ipvlan without an address',
    why: 'An ipvlan has the MAC address of its interface and needs an IPv4 address to send adverts from; mcast_src_ip and unicast_src_ip are none of it, and the instance stays in FAULT (vrrp.c vrrp_complete_instance).',
    remedy: 'Write it behind the word: use_ipvlan 10.0.0.2/24.',
    check: ipvlanNoAddress,
  },
  {
    code: 'vrid-twice',
    severity: 'error',
    rejected: true,
    title: 'Two instances of one director have one virtual_router_id',
    why: 'On one interface they would take the adverts of each other for their own; keepalived refuses it (vrrp.c check_vrid_conflicts).',
    remedy: 'Give each instance of an interface a virtual_router_id of its own.',
    check: vridTwice,
  },
  {
    code: 'unicast-no-peer',
    severity: 'error',
    rejected: true,
    title: 'unicast_src_ip or another word of unicast, and no peer',
    why: 'keepalived sends to the multicast group, which it calls deprecated (vrrp.c vrrp_complete_instance).',
    remedy: 'Write the addresses of the other directors into unicast_peer.',
    check: unicastNoPeer,
  },
  {
    code: 'option-useless',
    severity: 'warning',
    rejected: true,
    title: 'An option of an instance without what it is for',
    why: 'keepalived resets it, and says so (vrrp.c vrrp_complete_instance).',
    remedy: 'Take the line out, or write what the message names.',
    check: optionUseless,
  },
  {
    code: 'unicast-vmac',
    severity: 'warning',
    rejected: true,
    title: 'use_vmac with unicast_peer, and no vmac_xmit_base',
    why: 'keepalived sets vmac_xmit_base, and its configuration test fails (vrrp_parser.c vrrp_end_handler).',
    remedy: 'Write vmac_xmit_base.',
    check: unicastVmac,
  },
  {
    code: 'ah-with-master',
    severity: 'error',
    rejected: true,
    title: 'auth_type AH with state MASTER',
    why: 'AH counts the adverts of the MASTER, so none may begin as one; keepalived takes BACKUP (vrrp.c vrrp_complete_instance).',
    remedy: 'Write state BACKUP, or auth_type PASS.',
    check: ahWithMaster,
  },
  {
    code: 'owner-weight',
    severity: 'error',
    rejected: true,
    title: 'A weight of something that an address owner tracks',
    why: 'Priority 255, which state MASTER without priority means too, never changes: keepalived ignores what has a weight (vrrp.c vrrp_complete_instance).',
    remedy: 'Write a priority from 1 to 254, or take the weight out: then a failure is a FAULT.',
    check: ownerWeight,
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
    why: 'keepalived does not start the instance (vrrp_parser.c vrrp_int_handler); nor does it start where an address, a route, a rule or track_interface names one (vrrp_ipaddress.c, vrrp_iproute.c, vrrp_iprule.c, vrrp_track.c). Told where a topology describes the node.',
    remedy: 'Write the name that the interface has on the node.',
    check: interfaceUnknown,
  },
]
