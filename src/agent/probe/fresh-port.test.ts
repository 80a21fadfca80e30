import { expect, it } from 'vitest'
import { FIRST_PORT, freshPort, LAST_PORT } from './fresh-port.ts'

it('gives every port once before it gives any again, none of which the kernel would choose', () => {
  const count = LAST_PORT - FIRST_PORT + 1
  const ports = new Set(Array.from({ length: count }, freshPort))
  expect(ports.size).toBe(count)
  expect(Math.max(...ports)).toBeLessThan(32_768)
  expect(freshPort()).toBe(FIRST_PORT)
})
