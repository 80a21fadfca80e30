import { expect, test } from 'vitest'
import type { Condition } from '../agent/protocol.ts'
import { loadTopology } from '../topology/load.ts'
import { checkClient, checkCondition, checkDuration, checkMoment } from './checks.ts'

const topology = loadTopology('topologies/keepalived-dr')

const refused = (code: string, message: string, remedy: string) =>
  expect.objectContaining({
    ...{ code, exitCode: 2 },
    ...{ message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) },
  })

test.each([
  [0, 'lab.at(0): 0 ms is before this lab began, at 246900.0 ms'],
  [Number.NaN, 'lab.at(NaN): NaN ms is no moment'],
  [Number.POSITIVE_INFINITY, 'lab.at(Infinity)'],
])('the moment %d', (t, message) => {
  expect(() => checkMoment(t, 246_900)).toThrow(refused('LAB_MOMENT', message, 'lab.origin + 5_000'))
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('the duration %d', ms => {
  expect(() => checkDuration('lab.sleep', ms)).toThrow(refused('LAB_DURATION', `lab.sleep: ${ms} ms`, 'ms'))
})

test('moments and durations that can be', () => {
  expect(() => checkMoment(246_900, 246_900)).not.toThrow()
  for (const ms of [0, -5, 100_000]) expect(() => checkDuration('lab.sleep', ms)).not.toThrow()
})

test('a condition that nobody knows, of nothing, or of a node that is not there', () => {
  const unknown = { kind: 'adress', node: 'd1' } as unknown as Condition
  expect(() => checkCondition(topology, { kind: 'any', of: [unknown] })).toThrow(
    refused('UNTIL_KIND', 'no condition "adress"; did you mean "address"?', 'owner, pool'),
  )
  expect(() => checkCondition(topology, { kind: 'any', of: [] })).toThrow(refused('UNTIL_KIND', 'any of nothing', 'of'))
  expect(() => checkCondition(topology, { kind: 'address', node: 'd9', address: '10.0.0.100', present: true })).toThrow(
    refused('UNTIL_NODE', 'no node "d9"', 'd1'),
  )
})

test('a probe from a node that is no client', () => {
  expect(() => checkClient(topology, 'p', 'c1')).not.toThrow()
  expect(() => checkClient(topology, 'p', 'd1')).toThrow(
    refused('PROBE_CLIENT', 'd1 is not a client of keepalived-dr', 'c1'),
  )
})
