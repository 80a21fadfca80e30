import { expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { historyInTime } from '../judge/examples.ts'
import { NotConverged } from '../lab/readiness.ts'
import { notReady } from './not-ready.ts'
import { planOf } from './testing.ts'

const said = (t: number, line: string, result: 'up' | 'down'): LabEvent => ({
  ...{ kind: 'keepalived', t, node: 'd1', line },
  checker: { server: '10.0.0.10:80', result },
})

it('says what did not come true, and what failing health checks said, each once', () => {
  const line = 'HTTP_CHECK on service [10.0.0.10]:tcp:80 failed after 2 retries.'
  const history = historyInTime([
    said(1, 'HTTP status code success', 'up'),
    said(2, line, 'down'),
    said(3, line, 'down'),
  ])
  expect(notReady(planOf('keepalived-dr'), new NotConverged(['a', 'b'], history), 5)).toMatchObject({
    outcome: 'INCONCLUSIVE',
    check: 'convergence',
    reason: `Within the time that the configuration needs, it was not so that a; nor that b. keepalived on d1: ${line}`,
    proof: [{ t: 2 }],
    tookMs: 5,
  })
})
