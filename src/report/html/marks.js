import { h } from './dom.js'

// A server has a colour and a shape of its own, so that neither alone has to tell them apart.

const SHAPES = [
  (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (x, y, r) => `M${x} ${y - r * 1.2}l${r * 1.2} ${r * 2.1}h${-2.4 * r}z`,
  (x, y, r) => `M${x} ${y - r * 1.3}l${r * 1.3} ${r * 1.3}l${-1.3 * r} ${r * 1.3}l${-1.3 * r} ${-1.3 * r}z`,
  (x, y, r) => `M${x} ${y + r * 1.2}l${r * 1.2} ${-2.1 * r}h${-2.4 * r}z`,
  (x, y, r) => {
    const w = r * 0.45
    const a = r - w
    return `M${x - w} ${y - r}h${2 * w}v${a}h${a}v${2 * w}h${-a}v${a}h${-2 * w}v${-a}h${-a}v${-2 * w}h${a}z`
  },
  (x, y, r) => `M${x - r * 1.2} ${y}l${r * 0.6} ${-r}h${r * 1.2}l${r * 0.6} ${r}l${-0.6 * r} ${r}h${-1.2 * r}z`,
  (x, y, r) => `M${x - r * 0.5} ${y - r * 1.2}h${r}v${r * 2.4}h${-r}z`,
]

const COLOURS = 8

export const fixed = value => Math.round(value * 10) / 10

// server's number in the report; one that did not give its name has none
export const serverClass = index => (index < 0 ? 'server-none' : `server-${index % COLOURS}`)

export const serverShape = (index, x, y, r) => {
  const shape = SHAPES[index < 0 ? 0 : (index + Math.floor(index / COLOURS)) % SHAPES.length]
  return shape(fixed(x), fixed(y), r)
}

// how a request failed shows in the shape; all are hollow and red
const FAILURES = {
  timeout: SHAPES[0],
  refused: (x, y, r) => `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x + r} ${y - r}l${-2 * r} ${2 * r}`,
  reset: SHAPES[3],
  unreachable: SHAPES[2],
  error: (x, y, r) => `M${x - r} ${y}h${2 * r}M${x} ${y - r}v${2 * r}`,
  answered: SHAPES[1],
}

export const FAILURE_NAMES = {
  timeout: 'timed out',
  refused: 'refused',
  reset: 'reset',
  unreachable: 'unreachable',
  error: 'error',
  answered: 'HTTP error status',
}

export const failureShape = (outcome, x, y, r) => (FAILURES[outcome] ?? FAILURES.error)(fixed(x), fixed(y), r)

const VERDICTS = { PASS: '\u2713', FAIL: '\u2715', INCONCLUSIVE: '?' }

export const badge = outcome =>
  h(
    'span',
    { class: `badge ${outcome.toLowerCase()}` },
    h('span', { 'aria-hidden': 'true' }, VERDICTS[outcome]),
    ` ${outcome}`,
  )
