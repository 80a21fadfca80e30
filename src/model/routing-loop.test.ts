import { expect, test } from 'vitest'
import { DEFAULT_TTL, loopCrossings } from './routing-loop.ts'

test('a packet that one router has passed on before crosses the link 63 times', () => {
  expect(loopCrossings(DEFAULT_TTL, 1)).toBe(63)
})
