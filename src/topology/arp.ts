import type { z } from 'zod'
import type { arpSchema } from './schema.ts'

type Arp = z.output<typeof arpSchema>

/** The sysctl of a word of `arp`. The kernel takes the larger one of `all` and of the interface (include/linux/inetdevice.h). */
export const arpSysctl = (word: string): string => `net.ipv4.conf.all.arp_${word}`

/** What `arp` of a node sets: names of sysctls with their values. */
export const arpSettings = (arp: Arp): [string, number][] =>
  Object.entries(arp).flatMap(([word, value]) => (value === undefined ? [] : [[arpSysctl(word), value]]))
