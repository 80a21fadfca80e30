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
