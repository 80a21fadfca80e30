import { expect, it } from 'vitest'
import { fault } from './examples.ts'
import { separates, sides, without } from './liveness.ts'

const inForce = (name: string, node: string, from: string[]) => ({
  fault: { ...fault(0, name, node), params: { from } },
  from: 0,
  until: undefined,
})

it('cuts others out of a stretch of time', () => {
  const day = { from: 0, until: 100 }
  expect(without(day, [])).toEqual([day])
  expect(without(day, [{ from: 20, until: 30 }])).toEqual([
    { from: 0, until: 20 },
    { from: 30, until: 100 },
  ])
  expect(without(day, [{ from: -5, until: 10 }])).toEqual([{ from: 10, until: 100 }])
  expect(without(day, [{ from: 90, until: 200 }])).toEqual([{ from: 0, until: 90 }])
  expect(without(day, [{ from: 0, until: 100 }])).toEqual([])
  const overlapping = [
    { from: 20, until: 50 },
    { from: 40, until: 60 },
    { from: 150, until: 160 },
    { from: -20, until: -10 },
  ]
  expect(without(day, overlapping)).toEqual([
    { from: 0, until: 20 },
    { from: 60, until: 100 },
  ])
})

it('knows whom a fault keeps apart', () => {
  const apart = (name: string, params?: Record<string, unknown>) => {
    const one = { fault: { ...fault(0, name, 'd1'), ...(params ? { params } : {}) }, from: 0, until: undefined }
    const pairs = ['d1 d2', 'd2 d1', 'd1 d3', 'd2 d3', 'd3 d2', 'd3 d4'].map(
      pair => pair.split(' ') as [string, string],
    )
    return pairs.filter(([a, b]) => separates(one, a, b)).map(pair => pair.join(' '))
  }
  expect(apart('partition', { with: [], from: ['d2', 'c1'] })).toEqual(['d1 d2', 'd2 d1'])
  expect(apart('partition', { with: ['d3'], from: ['d2'] })).toEqual(['d1 d2', 'd2 d1', 'd2 d3', 'd3 d2'])
  expect(apart('partition', { with: ['d3'] })).toEqual(['d1 d2', 'd2 d1', 'd2 d3', 'd3 d2', 'd3 d4'])
  expect(apart('partition')).toEqual(['d1 d2', 'd2 d1', 'd1 d3'])
  expect(apart('vrrp-block', { direction: 'in' })).toEqual(['d1 d2', 'd2 d1', 'd1 d3'])
  expect(apart('vrrp-block', { direction: 'both', peer: 'd3' })).toEqual(['d1 d3'])
  expect(apart('netem', { with: ['d3'] })).toEqual(['d1 d2', 'd2 d1', 'd1 d3'])
})

it('groups those that are in touch, if only by way of another', () => {
  const nodes = ['d1', 'd2', 'd3']
  expect(sides(nodes, [])).toEqual([nodes])
  expect(sides(nodes, [inForce('partition', 'd1', ['d2', 'd3'])])).toEqual([['d1'], ['d2', 'd3']])
  expect(sides(nodes, [inForce('partition', 'd1', ['d2'])])).toEqual([nodes])
  expect(sides(nodes, [inForce('partition', 'd3', ['d1', 'd2']), inForce('partition', 'd1', ['d2'])])).toEqual([
    ['d1'],
    ['d2'],
    ['d3'],
  ])
  expect(sides(['d2', 'd1'], [])).toEqual([['d1', 'd2']])
})

it('counts those to one side that are in touch with one of it alone', () => {
  expect(sides(['d1', 'd2', 'd3'], [inForce('partition', 'd1', ['d3'])])).toEqual([['d1', 'd2', 'd3']])
})
