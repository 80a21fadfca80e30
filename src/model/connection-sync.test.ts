import { expect, test } from 'vitest'
import { CONNECTION_SYNC_BOUND, SYNC_FLUSH_MS, SYNC_THRESHOLD } from './connection-sync.ts'

test('a connection is known to the backup 3 s after its third packet', () => {
  expect(SYNC_THRESHOLD).toBe(3)
  expect(SYNC_FLUSH_MS).toBe(2_000)
  expect(CONNECTION_SYNC_BOUND).toMatchObject({ formula: 'flush 2 s + check 1 s = 3 s', maxMs: 3_000 })
})
