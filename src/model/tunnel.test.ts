import { expect, test } from 'vitest'
import { tunnelMss, tunnelMtu } from './tunnel.ts'

test('an Ethernet link leaves 1480 bytes to packets in a tunnel, 1440 to their segments', () => {
  expect(tunnelMtu(1500)).toBe(1480)
  expect(tunnelMss(1500)).toBe(1440)
})
