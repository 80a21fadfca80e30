import { expect, it } from 'vitest'
import { auth, findingsIn, instance, placesOf, script } from '../testing.ts'

it('knows that a third director takes over where the second would not', () => {
  const three = (weight: number) => ({
    'a.conf': script('/bin/true') + instance(`  track_script {\n    chk weight ${weight}\n  }`, { priority: 102 }),
    'b.conf': instance('', { priority: 101 }),
    'c.conf': instance('', { priority: 100 }),
  })
  expect(placesOf(findingsIn(three(-2)), 'track-weight-small')).toEqual([])
  expect(placesOf(findingsIn(three(-1)), 'track-weight-small')).toHaveLength(2)
})

it('does not take directors of two groups for one another', () => {
  const other = instance(auth('2222'), { vip: '10.0.0.200', vrid: 60 })
  expect(findingsIn({ 'a.conf': instance(auth('1111')), 'b.conf': other })).toEqual([])
})

const messagesOf = (files: Record<string, string>): string[] =>
  findingsIn(files).flatMap(({ code, message }) => (code === 'track-weight-small' ? [message] : []))

it('knows that a backup with nopreempt takes adverts of any lower priority', () => {
  const files = (weight: string) => ({
    'a.conf':
      script('/bin/true') + instance(`  nopreempt\n  track_script {\n    chk ${weight}\n  }`, { priority: 102 }),
    'b.conf': instance('  nopreempt', { priority: 101 }),
  })
  expect(messagesOf(files('weight -20'))).toEqual([
    'when chk fails, a goes from priority 102 to 82, below 101 of b, which has nopreempt and leaves it the VIP: it stays MASTER',
  ])
  expect(messagesOf(files('weight 0'))).toEqual([])
})

it('takes a success for what is wrong where it is tracked with reverse', () => {
  const files = (weight: number) => ({
    'a.conf':
      script('/bin/true') + instance(`  track_script {\n    chk weight ${weight} reverse\n  }`, { priority: 102 }),
    'b.conf': instance('', { priority: 95 }),
  })
  expect(messagesOf(files(10))).toEqual([])
  expect(messagesOf(files(5))).toEqual([
    'when chk succeeds, a goes from priority 102 to 97, which is not below 95 of b: it stays MASTER',
  ])
})
