import type { Statement } from './parse.ts'

/** linux/if.h IFNAMSIZ, less the end of the string. */
export const LONGEST_DEVICE = 15

/**
 * The name that a `use_vmac` line gives: `[name] NAME`, beside which it may have a hardware address, `group G` and
 * `netlink_notify_msg` (keepalived vrrp_parser.c `vrrp_vmac_handler`).
 */
export const writtenName = (line: Statement): string | undefined =>
  line.words
    .slice(1)
    .map(word => word.text)
    .find(
      (word, n, words) =>
        !word.includes(':') && !['name', 'group', 'netlink_notify_msg'].includes(word) && words[n - 1] !== 'group',
    )

/**
 * Names the VMACs that have no name, in the order of the instances: `vrrp.5`, and with a number where another instance has that
 * (keepalived vrrp.c `create_vmac_name`).
 *
 * @param prefix global `vmac_prefix`
 * @param written names that instances give theirs
 */
export const vmacNames = (prefix: string, written: string[]) => {
  const taken = new Set(written)
  return (virtualRouterId: number, family: 4 | 6): string => {
    for (let n = 0; ; n++) {
      const number = family === 6 ? ([0, 6, 1, 2, 3, 4, 5][n] ?? n) : n
      const end = `${number || ''}.${virtualRouterId}`
      const name = `${prefix.slice(0, LONGEST_DEVICE - end.length)}${end}`
      if (taken.has(name)) continue
      taken.add(name)
      return name
    }
  }
}
