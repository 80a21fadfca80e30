import { z } from 'zod'
import { LvslabError } from '../../errors.ts'
import { addressesOf } from '../../topology/addresses.ts'
import { defineFault, type Target } from './fault.ts'
import { sh } from './shell.ts'

const params = z.strictObject({
  /** Addresses of the node: a real server's own and, behind DR and TUN, the VIPs of its services. */
  addresses: z.array(z.ipv4()).min(1).max(1000),
})

type Self = Target<z.output<typeof params>>

const checkAddresses = ({ node, params: { addresses } }: Self): void => {
  const own = addressesOf(node)
  const stranger = addresses.find(address => !own.includes(address))
  if (stranger === undefined) return
  throw new LvslabError('FAULT_ADDRESS', `httpd-refuse: ${node.name} has no address ${stranger}`, {
    remedy: `addresses: some of ${own.slice(0, 5).join(', ')}${own.length > 5 ? ', ...' : ''}`,
    exitCode: 2,
  })
}

/** The rules as iptables-restore takes them, each with the injection's own mark. */
const load = ({ id, params: { addresses } }: Self, action: '-I' | '-D'): string => {
  const rules = addresses.map(
    address => `${action} INPUT -d ${address} -p tcp -m comment --comment ${id} -j REJECT --reject-with tcp-reset`,
  )
  return sh`printf '%s\n' ${['*filter', ...rules, 'COMMIT'].join('\n')} | iptables-restore --noflush`
}

/**
 * A reset to whatever comes for some addresses of a node by TCP, connections that are open too: to clients and health checks one
 * real server of a farm has crashed, and the others go on.
 */
export const httpdRefuse = defineFault({
  title: 'NODE refuses connections to some of its addresses',
  roles: ['realserver'],
  params,
  example: { addresses: ['10.1.0.10'] },
  check: checkAddresses,
  inject: target => [{ node: target.node.name, script: load(target, '-I') }],
  heal: target => [{ node: target.node.name, script: load(target, '-D') }],
  healed: ({ id, node }) => [
    {
      node: node.name,
      script: sh`! iptables-save | grep -e ${`--comment ${id} `} >&2 || fail 'a rule of the fault is left'`,
    },
  ],
})
