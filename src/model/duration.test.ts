import { expect, it } from 'vitest'
import { parseDuration } from './duration.ts'

it.each([
  ['1500ms', 1500],
  ['90s', 90_000],
  ['0.5s', 500],
  ['2m', 120_000],
  ['1h', 3_600_000],
])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

it.each(['', '3', 's', '3 s', '-3s', '3S', '3s ', '1m30s', '0s', '.5s', `${'9'.repeat(400)}s`])(
  '"%s" is no duration',
  text => expect(parseDuration(text)).toBeUndefined(),
)
