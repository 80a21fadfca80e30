/**
 * The group of clients that IPVS treats as one: a source address cut to the persistence netmask, or to the prefix length
 * of an IPv6 service (`ipvsadm -M`, ip_vs_core.c `ip_vs_sched_persist`).
 *
 * @param prefix length in bits; 32 and 128 leave every client alone
 */
export const clientGroup = (source: string, prefix: number | undefined): string => {
  if (prefix === undefined) return source
  const [words, bits] = source.includes(':') ? [wordsOf(source), 16] : [source.split('.').map(Number), 8]
  return words.map((word, i) => word & ~((1 << Math.max(0, bits - Math.max(0, prefix - i * bits))) - 1)).join('.')
}

/** The eight numbers of an IPv6 address. */
const wordsOf = (address: string): number[] => {
  const [left, right] = address.split('::').map(part => part.split(':').filter(word => word !== ''))
  const known = [...(left ?? []), ...(right ?? [])]
  const zeros = Array.from({ length: 8 - known.length }, () => '0')
  return [...(left ?? []), ...zeros, ...(right ?? [])].map(word => Number.parseInt(word, 16))
}
