import { isIP, SocketAddress } from 'node:net'
import type { Notice, VipAddress } from '../../model/types.ts'
import type { Statement } from './parse.ts'
import { note } from './values.ts'

/** 4 or 6, or 0 for what is no address: keepalived takes none with a zone, `fe80::1%eth0` (inet_pton). */
export const ipVersion = (text: string): number => (text.includes('%') ? 0 : isIP(text))

/** An address as the kernel's tools print it, so that what is configured and what is seen can be compared. */
export const canonical = (address: string): string =>
  ipVersion(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address

/** The address of a service, a server, a check or an advert: what follows a `/` or `-` is not looked at (lib/utils.c `inet_stosockaddr`). */
export const addressOf = (word: string): string => canonical(word.replace(/[-/].*/s, ''))

/**
 * The lines of a `virtual_ipaddress` block: `10.0.0.100/24 dev eth0 label eth0:1` (keepalived vrrp_ipaddress.c
 * `alloc_ipaddress`). Without a prefix it is /32, or /128.
 *
 * @param device of the addresses that name none
 */
export const readAddresses = (blocks: Statement[], device: string, notices: Notice[]): VipAddress[] =>
  blocks
    .flatMap(block => block.block ?? [])
    .flatMap(line => {
      const [first, ...options] = line.words.map(word => word.text)
      const [address = '', prefixText] = (first ?? '').split('/')
      const family = ipVersion(address)
      const widest = family === 6 ? 128 : 32
      if (family === 0) {
        note(notices, line, `${first} is not an address; keepalived leaves it out`)
        return []
      }
      const isPrefix = /^\+?\d*$/.test(prefixText ?? '') && Number(prefixText ?? 0) <= widest
      const prefix = prefixText === undefined || !isPrefix ? widest : Number(prefixText)
      if (!isPrefix)
        note(notices, line, `the prefix of ${first} is not a number from 0 to ${widest}; keepalived takes ${widest}`)
      const option = (name: string): string | undefined => {
        const index = options.indexOf(name)
        return index < 0 ? undefined : options[index + 1]
      }
      const broadcast = option('brd') ?? option('broadcast')
      if (
        broadcast !== undefined &&
        (family === 6 || (ipVersion(broadcast) !== 4 && !['+', '-'].includes(broadcast)))
      ) {
        note(
          notices,
          line,
          `${broadcast} is not an address that broadcasts of ${first} could have; keepalived leaves ${first} out`,
        )
        return []
      }
      const label = option('label')
      const lifetime = option('preferred_lft')
      const isLifetime = lifetime !== undefined && /^(?:\d+|forever)$/.test(lifetime)
      const isPreferred = isLifetime ? Number(lifetime) !== 0 : prefix < 128
      return [
        {
          ...{ address: canonical(address), prefix, device: option('dev') ?? device, at: line.at },
          ...(label === undefined ? {} : { label }),
          ...(options.includes('no_track') ? { noTrack: true as const } : {}),
          ...(family === 6 && isPreferred ? { preferred: true as const } : {}),
        },
      ]
    })

/** Whether a text is the address of a multicast group: 224.0.0.0/4, ff00::/8. */
export const isMulticast = (text: string, family: 4 | 6): boolean =>
  ipVersion(text) === family && (family === 6 ? /^ff/i.test(text) : /^2(?:2[4-9]|3\d)\./.test(text))
