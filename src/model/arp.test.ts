import { expect, test } from 'vitest'
import { sharesByArp } from './arp.ts'

test('the scheduler decides for those who found the director, and for nobody else', () => {
  expect(sharesByArp('d1', 'd1', { rs1: 3, rs2: 1 })).toEqual({ rs1: 3, rs2: 1 })
  expect(sharesByArp('rs2', 'd1', { rs1: 3, rs2: 1 })).toEqual({ rs2: 1 })
})
