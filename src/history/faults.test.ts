import { expect, it } from 'vitest'
import type { FaultEvent } from './event.ts'
import { faultsInForce } from './faults.ts'
import { historyOf } from './history.ts'

const fault = (
  t: number,
  phase: FaultEvent['phase'],
  node: string,
  name = 'link-down',
  params?: FaultEvent['params'],
): FaultEvent => ({ kind: 'fault', t, done: t + 5, phase, fault: name, node, ...(params ? { params } : {}) })
const spans = (events: FaultEvent[], node?: string) =>
  faultsInForce(historyOf(events), ['link-down', 'netem'], node).map(({ from, until }) => [from, until])

it('is in force from the injection to the end of the heal, or for good', () => {
  expect(spans([fault(10, 'inject', 'd1'), fault(20, 'heal', 'd1'), fault(30, 'inject', 'd1')])).toEqual([
    [10, 25],
    [30, undefined],
  ])
})

it('is healed on its own node, under its own name and with its own parameters', () => {
  const cut = fault(10, 'inject', 'd1', 'link-down', { device: 'eth0' })
  expect(spans([cut, fault(20, 'heal', 'd2')])).toEqual([[10, undefined]])
  expect(spans([cut, fault(20, 'heal', 'd1', 'netem')])).toEqual([[10, undefined]])
  expect(spans([cut, fault(20, 'heal', 'd1', 'link-down', { device: 'eth1' })])).toEqual([[10, undefined]])
  expect(spans([cut, fault(20, 'heal', 'd1', 'link-down', { device: 'eth0' })])).toEqual([[10, 25]])
  expect(spans([cut, fault(20, 'heal', 'd1')])).toEqual([[10, 25]])
})

it('ends with one heal where it was injected twice, and once only', () => {
  const twice = [fault(10, 'inject', 'd1'), fault(12, 'inject', 'd1'), fault(20, 'heal', 'd1'), fault(40, 'heal', 'd1')]
  expect(spans(twice)).toEqual([
    [10, 25],
    [12, 25],
  ])
})

it('ends with the heal that names it, and not with that of an equal one', () => {
  const named = (t: number, phase: FaultEvent['phase'], injection: string): FaultEvent => ({
    ...fault(t, phase, 'd1', 'netem', { device: 'eth0' }),
    injection,
  })
  const both = [named(10, 'inject', 'netem-1'), named(12, 'inject', 'netem-2'), named(20, 'heal', 'netem-2')]
  expect(spans(both)).toEqual([
    [10, undefined],
    [12, 25],
  ])
  expect(spans([...both, named(40, 'heal', 'netem-1')])).toEqual([
    [10, 45],
    [12, 25],
  ])
})

it('takes the faults named, of one node where asked', () => {
  const all = [fault(10, 'inject', 'd1'), fault(11, 'inject', 'd2'), fault(12, 'inject', 'd1', 'node-kill')]
  expect(spans(all)).toEqual([
    [10, undefined],
    [11, undefined],
  ])
  expect(spans(all, 'd2')).toEqual([[11, undefined]])
})
