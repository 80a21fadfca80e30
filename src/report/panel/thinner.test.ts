import { expect, it } from 'vitest'
import { Thinner } from './thinner.ts'

it('keeps everything up to its limit', () => {
  const thinner = new Thinner<number>(100)
  for (let i = 0; i < 100; i++) thinner.add(i)
  expect(thinner.items).toEqual(Array.from({ length: 100 }, (_, i) => i))
})

it('keeps a sample of the whole stream that no cycle can fool', () => {
  const thinner = new Thinner<number>(1000)
  for (let i = 0; i < 50_000; i++) thinner.add(i)
  const { items } = thinner
  expect(thinner.seen).toBe(50_000)
  expect(items.length).toBeLessThanOrEqual(1000)
  expect(items.length).toBeGreaterThan(350)
  expect(items).toEqual([...items].sort((a, b) => a - b))
  for (const cycle of [2, 3, 4, 8]) {
    for (let k = 0; k < cycle; k++) {
      const share = items.filter(i => i % cycle === k).length / items.length
      expect(Math.abs(share - 1 / cycle)).toBeLessThan(0.1)
    }
  }
})
