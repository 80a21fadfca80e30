import type { Promised, Promises } from '../judge/promises.ts'
import { formatBound, formatLimit } from './measurement.ts'
import { formatUntested, type TextOptions } from './text.ts'
import { visibleLine } from './visible.ts'

/** What a configuration promises, for a terminal: who holds each VIP, then each promise with its bounds and their sources. */
export const formatPromises = ({ vips, promises, untested }: Promises, options: TextOptions = {}): string => {
  const blocks = [
    vips.map(visibleLine).join('\n'),
    ...promises.map(formatPromise),
    formatUntested({ untested }, options),
  ]
  return `${blocks.filter(block => block !== '').join('\n\n')}\n`
}

const formatPromise = ({ check, scenario, title, bounds, shares, algorithm, limits = [] }: Promised): string => {
  const lines = [`name: ${check}${scenario === check ? '' : ` of ${scenario}`}`]
  lines.push(...bounds.map(bound => `${bound.name}: ${formatBound({ bound, unit: 'ms' })} [${bound.source}]`))
  for (const { measurement, warning, ...limit } of limits)
    lines.push(`${measurement}: ${formatLimit(limit)}${warning === undefined ? '' : `; warning: ${warning}`}`)
  const parts = Object.entries(shares ?? {}).map(([server, share]) => `${server} ${share}`)
  if (parts.length > 0) lines.push(`shares of one cycle: ${parts.join(', ')}`)
  if (algorithm !== undefined) lines.push(`algorithm: ${algorithm}`)
  return [visibleLine(title), ...lines.map(line => `      ${visibleLine(line)}`)].join('\n')
}
