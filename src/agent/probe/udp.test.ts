import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { ConnectionEvent, RequestEvent } from '../../history/event.ts'
import { freshPort } from './fresh-port.ts'
import { runUdpProbe } from './udp.ts'

test('newPorts: each datagram leaves from the next port that none had, which the kernel would not promise', async () => {
  const echo = createSocket('udp4').on('message', (text, from) => echo.send(text, from.port, from.address))
  echo.bind(0, '127.0.0.1')
  await once(echo, 'listening')
  const events: (RequestEvent | ConnectionEvent)[] = []
  const before = freshPort()
  await new Promise<void>(ended => {
    const options = { type: 'udp' as const, probe: 'new', client: 'c1', rate: 1000, count: 5, timeoutMs: 5_000 }
    const target = `127.0.0.1:${echo.address().port}`
    runUdpProbe({ ...options, target, newPorts: true }, { record: event => events.push(event), ended: () => ended() })
  })
  echo.close()
  const sent = events.toSorted((a, b) => a.n - b.n)
  expect(sent.map(one => [one.outcome, one.sourcePort])).toEqual([1, 2, 3, 4, 5].map(n => ['answered', before + n]))
})
