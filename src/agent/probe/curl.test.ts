import { expect, test } from 'vitest'
import { curlCommand, readCurl } from './curl.ts'

const options = {
  ...{ type: 'curl' as const, probe: 'loop', client: 'c1', url: 'http://10.0.0.100/', timeoutMs: 1500, pauseMs: 500 },
}

test('the command line takes sources and ports in turn', () => {
  const of = (n: number): string =>
    curlCommand({ ...options, sources: ['10.0.0.1', '10.0.0.2'], ports: [5000, 5001, 5002] }, n).join(' ')
  expect(of(0)).toContain('--max-time 1.5')
  expect(of(0)).toMatch(/--interface 10\.0\.0\.1 --local-port 5000 http:\/\/10\.0\.0\.100\/$/)
  expect(of(4)).toMatch(/--interface 10\.0\.0\.1 --local-port 5001 http/)
  expect(curlCommand(options, 0).join(' ')).not.toMatch(/--interface|--local-port/)
})

test('reads who answered, from where, and with which status', () => {
  const stderr = '*   Trying 10.0.0.100:80...\n< HTTP/1.1 200 OK\n\nway 10.0.0.50 40000 200\n'
  expect(readCurl(0, 'rs1 10.0.0.10\n', stderr)).toEqual({
    ...{ outcome: 'answered', status: 200, server: 'rs1', detail: 'rs1 10.0.0.10' },
    ...{ source: '10.0.0.50', sourcePort: 40000 },
  })
})

test('reads why nobody answered, from curl’s own line', () => {
  const stderr =
    '* connect to 10.0.0.100 port 80 failed: Connection refused\n\nway  -1 000\ncurl: (7) Failed to connect\n'
  expect(readCurl(7, '', stderr)).toEqual({ source: '', outcome: 'refused', detail: 'curl: (7) Failed to connect' })
  expect(readCurl(127, '', '')).toEqual({ source: '', outcome: 'error', detail: 'curl ended with 127' })
})
