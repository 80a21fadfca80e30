import { expect, it } from 'vitest'
import { linkReturnGapBound } from './link-return.ts'
import type { Bound } from './types.ts'

const bound = (maxMs: number): Bound => ({ name: 'test', formula: `${maxMs} ms`, maxMs, source: 'test' })

it('is a handover where no real server is behind the link, or one is found sooner', () => {
  expect(linkReturnGapBound(bound(1000), [])).toEqual(bound(1000))
  expect(linkReturnGapBound(bound(1000), [bound(5000), bound(1000)])).toEqual(bound(1000))
})

it('is the time of the real server that is found first, with its formula', () => {
  expect(linkReturnGapBound(bound(1000), [bound(7000), undefined, bound(6000)])).toMatchObject({
    formula: 'until a health check finds one up again: 6000 ms',
    maxMs: 6000,
  })
})

it('is unknown where no time is known for any of them', () => {
  expect(linkReturnGapBound(bound(1000), [undefined])).toBeUndefined()
})
