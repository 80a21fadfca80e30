import { expect, it } from 'vitest'
import { connectionsOf } from './connections.ts'
import type { ConnectionEvent } from './event.ts'
import { historyOf } from './history.ts'

const change = (
  t: number,
  n: number,
  what: ConnectionEvent['change'],
  more: Partial<ConnectionEvent> = {},
): ConnectionEvent => ({
  kind: 'connection',
  t,
  probe: 'p',
  n,
  client: 'c1',
  source: '10.0.0.50',
  sourcePort: 40_000,
  target: '10.0.0.100:80',
  change: what,
  exchanges: 0,
  ...more,
})

it('puts the ends of a connection together, and knows its server from either', () => {
  const history = historyOf([
    change(1, 0, 'open'),
    change(2, 1, 'open', { server: 'rs2' }),
    change(3, 2, 'failed'),
    change(4, 3, 'open', { probe: 'q' }),
    change(5, 0, 'broken', { server: 'rs1' }),
    change(6, 4, 'open'),
    change(7, 4, 'closed', { probe: 'q' }),
    change(8, 1, 'closed'),
  ])
  expect(connectionsOf(history, 'p').map(({ n, opened, ended, server }) => [n, opened.t, ended?.t, server])).toEqual([
    [0, 1, 5, 'rs1'],
    [1, 2, 8, 'rs2'],
    [4, 6, undefined, undefined],
  ])
})

it('has the ends of a name that was used again with their own beginnings', () => {
  const history = historyOf([
    change(1, 0, 'open'),
    change(2, 0, 'closed'),
    change(3, 0, 'open'),
    change(4, 0, 'broken'),
  ])
  expect(connectionsOf(history, 'p').map(({ opened, ended }) => [opened.t, ended?.t])).toEqual([
    [1, 2],
    [3, 4],
  ])
})
