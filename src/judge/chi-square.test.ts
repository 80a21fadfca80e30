import { expect, it } from 'vitest'
import { chiSquare } from './chi-square.ts'

it('agrees with the tables', () => {
  // 60 throws of a die: 5, 8, 9, 8, 10, 20 times
  const die = chiSquare([5, 8, 9, 8, 10, 20], [10, 10, 10, 10, 10, 10], 0.05)
  expect(die.statistic).toBeCloseTo(13.4, 6)
  expect(die.degrees).toBe(5)
  expect(die.critical).toBeCloseTo(11.0705, 3)
  expect(die.p).toBeCloseTo(0.0199, 4)
  expect(chiSquare([10, 10], [10, 10], 0.001)).toMatchObject({ statistic: 0, degrees: 1, p: 1 })
  expect(chiSquare([10, 10], [10, 10], 0.001).critical).toBeCloseTo(10.8276, 3)
})

it('has nothing to say of a single class', () => {
  expect(chiSquare([20], [20], 0.001)).toEqual({ statistic: 0, degrees: 0, critical: 0, p: 1 })
})
