import { z } from 'zod'
import { deviceOf, deviceParam } from './device.ts'
import { defineFault } from './fault.ts'
import { kept, sh } from './shell.ts'

/**
 * A cable is pulled: the device goes down on its node, and takes its routes and IPv6 addresses with it. The heal puts all of
 * them back, except what keepalived put there, which is its own affair.
 */
export const linkDown = defineFault({
  title: 'a link of NODE goes down',
  params: z.strictObject({ device: deviceParam }),
  example: { device: 'eth0' },
  check: target => void deviceOf(target),
  inject: target => {
    const device = deviceOf(target)
    const prepare = sh`
      [ "$(cat /sys/class/net/${device}/carrier 2>/dev/null)" = 1 ] || fail ${`${device} is down already`}
      /usr/lib/lvslab/network >${kept(target, 'network')}`
    return [{ node: target.node.name, prepare, script: sh`ip link set ${device} down` }]
  },
  heal: target => {
    const device = deviceOf(target)
    // what comes back by itself is there already, and what needs a gateway comes after the way to it
    const script = sh`
      ip link set ${device} up
      /usr/lib/lvslab/network restore <${kept(target, 'network')}`
    return [{ node: target.node.name, script }]
  },
  healed: target => [
    { node: target.node.name, script: sh`/usr/lib/lvslab/network | diff ${kept(target, 'network')} - >&2` },
  ],
})
