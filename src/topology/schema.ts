import { z } from 'zod'

import { DURATION, DURATION_FORM, parseDuration } from '../model/duration.ts'
import type { LimitName } from '../model/limits.ts'
import { PROCESS_NAME } from './processes.ts'
import { ROLES } from './types.ts'

/**
 * The form of topology.yaml. The error texts are predicates: the loader puts the key and the value seen before them.
 * What one value alone cannot tell (does the network exist, is the address in it) is checked in `checks.ts`.
 */

// One DNS label, lower case: it is a host name, a container's name and a folder's name at once.
const label = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, {
  error: 'must be a host name: at most 32 lower-case letters, digits and inner hyphens',
})

// `all`, `default` and `lo` have their own meaning below net.ipv4.conf; `lvslab...` are the node script's temporary
// names.
/** What an interface of a node may be called. */
export const INTERFACE_NAME = /^(?!(?:all|default|lo)$)(?!lvslab)[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/

const interfaceName = z.string().regex(INTERFACE_NAME, {
  error: 'must be 1 to 15 letters, digits, ".", "_" or "-", and not "lo", "all", "default" or "lvslab..."',
})

// A dot parts the words and a slash stands for a dot inside one (`net.ipv4.conf.eth0/100.arp_ignore`), as in
// sysctl(8).
const sysctlName = z.string().regex(/^net(\.[A-Za-z0-9_:@-]+(\/[A-Za-z0-9_:@-]+)*)+$/, {
  error: 'must begin with "net.": other sysctls are not a node\'s own but the whole kernel\'s',
})

const address = z.ipv4({ error: 'must be an IPv4 address without prefix, e.g. 10.0.0.10' })

const withPrefix = z.union([z.cidrv4(), z.cidrv6()], {
  error: 'must be an address with prefix, e.g. 10.0.0.100/32 or fd00::100/128',
})

/** Debian Policy 5.6.1. Its whole length goes into file names nowhere, so the bound only keeps nonsense out. */
const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]{1,127}$/, {
  error:
    'must be the name of a Debian package: lower-case letters, digits, "+", "-" and ".", two at least, a letter or digit first',
})

const singleLine = (what: string) => z.string().regex(/^[^\r\n]*$/, { error: `must be ${what}` })

/** One command of iptables(8) without its name, that adds something: a rule to a chain (-A, -I), a chain (-N), its policy (-P). */
const IPTABLES_RULE = /^(-t (filter|nat|mangle|raw|security) )?-[AINP] \S.*$/

/** Form of one entry below `networks`. */
export const networkSchema = z
  .strictObject({
    subnet: z
      .cidrv4({ error: 'must be an IPv4 subnet, e.g. 10.0.0.0/24' })
      .describe('IPv4 subnet. Networks of a topology must not overlap.')
      .meta({ examples: ['10.0.0.0/24'] }),
    gateway: address
      .optional()
      .describe('Default gateway of the nodes on this network. Without it they get no default route.')
      .meta({ examples: ['10.0.0.254'] }),
    driver: z
      .enum(['macvlan', 'bridge'], { error: 'must be macvlan or bridge' })
      .optional()
      .describe(
        'Driver of Docker that joins its interfaces: macvlan, or bridge (engine vm alone), which two directors with use_vmac need, as VMACs of one hardware address do not come up on macvlan twice.',
      )
      .meta({ examples: ['bridge'] }),
  })
  .describe('One layer-2 network.')

/** Form of one entry below a node's `interfaces`. */
export const interfaceSchema = z
  .strictObject({
    network: z
      .string()
      .describe('Name of the network that it is on.')
      .meta({ examples: ['lan'] }),
    address: address.describe("Its IPv4 address; the prefix is the network's.").meta({ examples: ['10.0.0.10'] }),
    addresses: z
      .array(withPrefix)
      .optional()
      .describe('Further addresses of it, with prefix: a VIP on the NIC, a second subnet on the same link, IPv6.')
      .meta({ examples: [['10.0.0.100/24'], ['fd00::10/64']] }),
    metric: z
      .int({ error: 'must be a whole number' })
      .min(1, { error: 'must be 1 or more' })
      .max(4_294_967_295, { error: 'must be less than 2^32' })
      .optional()
      .describe('Metric of the route to its own network: 100 where NetworkManager set it up. 0 without it.')
      .meta({ examples: [100] }),
  })
  .describe('One network interface.')

/** Form of `tunnels`: the devices that the kernel makes by itself, one for each kind of tunnel that LVS sends into. */
export const tunnelsSchema = z
  .strictObject({
    tunl0: z
      .array(z.cidrv4({ error: 'must be an IPv4 address with prefix, e.g. 10.0.0.100/32' }))
      .optional()
      .describe('IP-in-IP, what `ipvsadm -i` sends. Addresses with prefix; [] only brings it up.')
      .meta({ examples: [['10.0.0.100/32']] }),
    ip6tnl0: z
      .array(z.cidrv6({ error: 'must be an IPv6 address with prefix, e.g. fd00::100/128' }))
      .optional()
      .describe(
        'IPv6-in-IPv6, what `ipvsadm -i` sends to a real server of IPv6. Addresses with prefix; [] only brings it up.',
      )
      .meta({ examples: [['fd00::100/128']] }),
  })
  .describe('Tunnel devices that are brought up, with their addresses: the VIP of a real server behind TUN.')

const arpLevel = (levels: number[], text: string) => z.literal(levels).optional().describe(text)

/** Form of `arp`, in the words and numbers of the kernel's Documentation/networking/ip-sysctl.rst. */
export const arpSchema = z
  .strictObject({
    ignore: arpLevel(
      [0, 1, 2, 3, 8], // 4 to 7 are reserved
      'net.ipv4.conf.all.arp_ignore. 1: a request is answered only for addresses of the interface that it came in by.',
    ),
    announce: arpLevel(
      [0, 1, 2],
      'net.ipv4.conf.all.arp_announce. 2: its own requests name an address of the interface that they leave by.',
    ),
  })
  .describe(
    'What it says in ARP: a real server that has the VIP on lo or tunl0 keeps silent about it. Of all its interfaces.',
  )

/** Form of one entry below `nodes`. */
export const nodeSchema = z
  .strictObject({
    role: z.enum(ROLES).describe('What the node does; it chooses the image.'),
    interfaces: z
      .record(interfaceName, interfaceSchema)
      .describe(
        'Interfaces by their name inside the node, at most one per network. The first with a gateway leads out.',
      )
      .meta({ minProperties: 1, examples: [{ eth0: { network: 'lan', address: '10.0.0.10' } }] }),
    farm: z
      .boolean({ error: 'must be true or false' })
      .optional()
      .describe(
        'It is many real servers, each at an address of its interfaces: what one answers begins with its address, and not with the name of the node.',
      ),
    loopback: z
      .array(withPrefix)
      .optional()
      .describe('Addresses with prefix put on lo: the VIP of a real server behind DR.')
      .meta({ examples: [['10.0.0.100/32']] }),
    tunnels: tunnelsSchema.optional(),
    arp: arpSchema.optional(),
    sysctls: z
      .record(
        sysctlName,
        z.union([singleLine('one line of text').min(1, { error: 'must not be empty' }), z.number()], {
          error: 'must be a number or one line of text',
        }),
      )
      .optional()
      .describe(
        "Kernel settings of the node's own network namespace, set before any address but those of the interfaces' own networks. A router has net.ipv4.ip_forward 1, every other node 0, unless it stands here.",
      )
      .meta({ examples: [{ 'net.ipv4.ip_forward': 1 }] }),
    routes: z
      .array(z.string())
      .optional()
      .describe('Static routes, in the words of ip route: DESTINATION via GATEWAY [dev INTERFACE].')
      .meta({ examples: [['10.9.0.0/16 via 10.0.0.1']] }),
    iptables: z
      .array(
        z.string().regex(IPTABLES_RULE, {
          error:
            'must be [-t TABLE] -A CHAIN ... as for iptables, e.g. -t mangle -A PREROUTING -d 10.0.0.100 -p tcp --dport 80 -j MARK --set-mark 50',
        }),
      )
      .optional()
      .describe(
        "Rules of the node's packet filter, in the words of iptables: marks, DNAT, SNAT. They are its /etc/iptables/rules.v4, which is loaded before its network is up.",
      )
      .meta({
        examples: [['-t mangle -A PREROUTING -d 10.0.0.100 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 50']],
      }),
    processes: z
      .array(
        z.string().regex(PROCESS_NAME, {
          error: 'must be the name of a process as pgrep -x takes it, at most 15 characters, e.g. haproxy',
        }),
      )
      .optional()
      .describe(
        'Stand-ins for programs: processes of these names that do nothing. What killall -0, pidof or pgrep of a vrrp_script looks for; they are there before keepalived starts.',
      )
      .meta({ examples: [['haproxy']] }),
    packages: z
      .array(packageName)
      .optional()
      .describe(
        "Debian packages that the node needs besides those of its role's image: what its scripts call, an application. Their dependencies come with them, recommended packages do not.",
      )
      .meta({ examples: [['php-fpm', 'php-mysql']] }),
  })
  .describe('One node. The files of a folder with its name are laid over its root.')

const duration = z
  .string({ error: `must be ${DURATION_FORM}` })
  .regex(DURATION, { error: `must be ${DURATION_FORM}`, abort: true })
  .refine(text => parseDuration(text) !== undefined, { error: `must be ${DURATION_FORM}` })
  .optional()

/** Form of `expect`: the operator's own limits, each for something that a check measures. */
export const expectSchema = z
  .strictObject({
    failover: duration
      .describe('Longest time from a failure of the MASTER until another director holds the VIP.')
      .meta({ examples: ['3s'] }),
    gap: duration
      .describe('Longest time for which clients have no answer when the VIP moves, there and back.')
      .meta({ examples: ['3s'] }),
    removal: duration
      .describe('Longest time from the failure of a real server until it is out of the table.')
      .meta({ examples: ['10s'] }),
    return: duration
      .describe('Longest time from the return of a real server until it is in the table again.')
      .meta({ examples: ['10s'] }),
    sorry: duration
      .describe('Longest time from the failure of all real servers until the sorry server answers.')
      .meta({ examples: ['10s'] }),
  } satisfies Record<LimitName, typeof duration>)
  .describe("The operator's own limits: what exceeds one fails, also where the configuration keeps its own promises.")

/** Form of a whole topology.yaml. */
export const topologySchema = z
  .strictObject({
    name: label.describe('Name of the topology, in kebab-case.').meta({ examples: ['keepalived-dr'] }),
    summary: singleLine('one line').optional().describe('What it is, in one line.'),
    networks: z.record(label, networkSchema).describe('Networks by name.').meta({ minProperties: 1 }),
    nodes: z.record(label, nodeSchema).describe('Nodes by host name.').meta({ minProperties: 1 }),
    expect: expectSchema.optional(),
  })
  .meta({
    title: 'lvslab topology',
    description: 'The network that lvslab builds: networks, nodes and their addresses.',
  })

/** topology.yaml as it is written, every value of the right form. */
export type TopologyInput = z.infer<typeof topologySchema>

/** The keys that are known at a place in topology.yaml; none where any key may stand or the place does not exist. */
export const keysAt = (path: readonly PropertyKey[]): string[] => {
  let schema: unknown = topologySchema
  for (const step of path) {
    if (schema instanceof z.ZodObject) schema = schema.shape[String(step)]
    else if (schema instanceof z.ZodRecord) schema = schema.valueType
    else return []
    while (schema instanceof z.ZodOptional) schema = schema.unwrap()
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** JSON Schema (draft 07) of topology.yaml, for editors; `topologies/topology.schema.json` holds it. */
export const topologySchemaJson = (): Record<string, unknown> =>
  z.toJSONSchema(topologySchema, { target: 'draft-07', io: 'input' })
