import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { callSite, notAwaited } from './call-site.ts'

test('a call that nobody awaited is told with its place and the remedy', () => {
  const site = callSite() // the place
  const args = {
    fault: 'keepalived-crash',
    node: 'd1',
    injection: 'x-1',
    phase: 'inject' as const,
    steps: [],
    timeoutMs: 1,
  }
  const error = notAwaited('fault', args, site)
  const lines = readFileSync(import.meta.filename, 'utf8').split('\n')
  const line = lines.findIndex(text => text.endsWith('// the place')) + 1
  expect(error.at).toMatchObject({ file: import.meta.filename, line })
  expect(error).toMatchObject({
    code: 'LAB_CALL_PENDING',
    exitCode: 2,
    message: expect.stringContaining("the lab was closed while lab.inject('keepalived-crash', 'd1') was under way"),
    remedy: expect.stringContaining("await lab.inject('keepalived-crash', 'd1')"),
  })
  // test runners show the line that an error's stack begins with
  expect(error.stack?.split('\n')[1]).toContain(`${import.meta.filename}:${line}`)
})

test('without a place it is told all the same', () => {
  const error = notAwaited('sleep', { ms: 5 }, {})
  expect(error.message).toContain('lab.sleep(5)')
  expect(error.at).toBeUndefined()
})
