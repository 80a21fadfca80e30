import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

export const READERS = ['keepalived', 'ipvsadm', 'ldirectord'] as const

/** Which reader a case is for. */
export type FuzzReader = (typeof READERS)[number]

/** A file that mutations start from. */
export interface Sample {
  name: string
  reader: FuzzReader
  bytes: Buffer
}

/** A mutated file, which the same samples, seed and number always give. */
export interface FuzzCase {
  /** Name of the sample. */
  from: string
  reader: FuzzReader
  bytes: Buffer
}

const readerOf = (name: string): FuzzReader | undefined => {
  if (/ldirectord.*\.cf$/.test(name)) return 'ldirectord'
  if (/ipvsadm.*rules$/.test(name)) return 'ipvsadm'
  return /keepalived\.conf|\.conf$/.test(name) ? 'keepalived' : undefined
}

/** The files below a folder that one of the readers is for. */
export const samplesIn = (folder: string): Sample[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .flatMap(name => {
      const file = path.join(folder, name)
      const reader = readerOf(path.basename(name))
      return reader && statSync(file).isFile() ? [{ name: file, reader, bytes: readFileSync(file) }] : []
    })

/** Numbers from 0 up to a limit; the same for the same seed (mulberry32). */
export const randomFrom = (seed: number): ((below: number) => number) => {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** What readers stumble over. */
const PIECES = [
  ...['{', '}', '"', '#', '!', '\\', '\\\n', '\n', '\r\n', '\t', ' ', '\0', '\uFEFF', 'é', '€', '=', ',', ')', '('],
  ...[
    '$A=x\n',
    '$A=$A $A\n',
    '$A=${B}${B}\n',
    '$B=${A}${A}\n',
    '$A',
    '${A}',
    '${B}',
    '$M=a \\\n b $A\\\n c\n',
    '\n$M\n',
  ],
  ...['~SEQ(A, 1, 9) ', '~SEQ(A, 1, 999999999) ', '~SEQ(B, $A) ', '~LST({A, B}, {1, 2}, 3) ', '$_PWD', '$_RANDOM', '~'],
  ...['@d1 ', '@^d1 ', '@', 'include *.conf\n', 'include {a,b}{c,d}\n', 'include */*\n', 'include keepalived.conf\n'],
  ...[
    '0',
    '-1',
    '255',
    '65536',
    '4294967296',
    '99999999999999999999',
    '1e9',
    '0x10',
    '1.5',
    'NaN',
    '__proto__',
    'constructor',
  ],
  ...['10.0.0.1', '10.0.0.1-255', '10.0.0.0/8', '::1', '[::1]:80', '2001:db8::/32', 'fwmark 5', 'group G'],
  ...['-A', '-a', '-r', '--tun-type', '-p', '\n\tvirtual=', '\n\treal=', '->', 'l:5', '"a", "b"'],
]

type Random = (below: number) => number
type Mutation = (text: string, random: Random, other: string) => string

/** A stretch of a text, seldom a long one. */
const stretch = (text: string, random: Random): [number, number] => {
  const from = random(text.length + 1)
  return [from, Math.min(text.length, from + random(random(4) === 0 ? text.length + 1 : 20))]
}

const MOST_CHARACTERS = 2 ** 20

const MUTATIONS: Mutation[] = [
  (text, random) => {
    const at = random(text.length + 1)
    return text.slice(0, at) + PIECES[random(PIECES.length)] + text.slice(at)
  },
  (text, random) => {
    const [from, to] = stretch(text, random)
    return text.slice(0, from) + text.slice(to)
  },
  (text, random) => {
    const [from, to] = stretch(text, random)
    return text.slice(0, to) + text.slice(from, to) + text.slice(to)
  },
  // one piece or stretch so often that it fills a megabyte, or a line
  (text, random) => {
    const [from, to] = stretch(text, random)
    const unit = random(2) === 0 ? (PIECES[random(PIECES.length)] ?? '') : text.slice(from, to)
    const most = Math.floor(MOST_CHARACTERS / Math.max(1, unit.length))
    const count = random(8) === 0 ? most : random(Math.min(most, 2000))
    return text.slice(0, from) + unit.repeat(count) + text.slice(from)
  },
  (text, random, other) => {
    const [from, to] = stretch(other, random)
    const at = random(text.length + 1)
    return text.slice(0, at) + other.slice(from, to) + text.slice(at)
  },
  (text, random) => {
    const lines = text.split('\n')
    const [one, two] = [random(lines.length), random(lines.length)]
    const kept = lines[one] ?? ''
    lines[one] = lines[two] ?? ''
    lines[two] = kept
    return lines.join('\n')
  },
  // another word in a place where one stands
  (text, random) => {
    const words = [...text.matchAll(/\S+/g)]
    const [one, two] = [words[random(words.length || 1)], words[random(words.length || 1)]]
    const with_ = random(2) === 0 ? PIECES[random(PIECES.length)] : two?.[0]
    return one ? text.slice(0, one.index) + with_ + text.slice(one.index + one[0].length) : text
  },
  (text, random) => text.replaceAll('\n', ['\r\n', '', ' ', '\n\n'][random(4)] ?? ''),
]

/** One of the samples, mutated a few times. */
export const fuzzCase = (samples: Sample[], seed: number, number: number): FuzzCase => {
  const random = randomFrom(seed * 1_000_003 + number)
  const any = (): Sample => samples[random(samples.length)] as Sample
  const sample = any()
  let text = sample.bytes.toString('latin1')
  for (let left = 1 + random(6); left > 0; left--)
    text = (MUTATIONS[random(MUTATIONS.length)] as Mutation)(text, random, any().bytes.toString('latin1')).slice(
      0,
      MOST_CHARACTERS,
    )
  const kind = random(60)
  const bytes = kind === 0 ? Buffer.from(`\uFEFF${text}`, 'utf16le') : Buffer.from(text, kind < 30 ? 'latin1' : 'utf8')
  return { from: sample.name, reader: sample.reader, bytes: bytes.subarray(0, MOST_CHARACTERS) }
}
