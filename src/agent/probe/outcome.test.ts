import { describe, expect, test } from 'vitest'
import { outcomeOfCurl, outcomeOfError, serverOf } from './outcome.ts'

describe('the outcome of an error', () => {
  test.each([
    ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['ETIMEDOUT', 'timeout'],
    ['EHOSTUNREACH', 'unreachable'],
    // the client's own: it says nothing of the server
    ['EADDRINUSE', 'error'],
    ['EADDRNOTAVAIL', 'error'],
  ])('%s is %s', (code, outcome) => {
    expect(outcomeOfError(Object.assign(new Error('it failed'), { code }))).toEqual({
      outcome,
      detail: `${code} it failed`,
    })
  })

  test('names a code once, and bears what is no error', () => {
    const error = Object.assign(new Error('bind EADDRINUSE 10.0.0.50:5000'), { code: 'EADDRINUSE' })
    expect(outcomeOfError(error).detail).toBe('bind EADDRINUSE 10.0.0.50:5000')
    expect(outcomeOfError('x')).toEqual({ outcome: 'error', detail: 'x' })
  })
})

test.each([
  [0, '', 'answered'],
  [7, 'connect to 10.0.0.100 port 80 failed: Connection refused', 'refused'],
  [7, 'connect to 10.0.0.100 port 80 failed: No route to host', 'unreachable'],
  [7, 'Immediate connect fail for 10.0.0.100: Network is unreachable', 'unreachable'],
  [7, 'Immediate connect fail for 10.0.0.100: Cannot assign requested address', 'error'],
  [28, '', 'timeout'],
  [35, 'Recv failure: Connection reset by peer', 'reset'],
  [35, 'wrong version number', 'error'],
  [45, 'bind failed with errno 98: Address already in use', 'error'],
  [52, 'Empty reply from server', 'reset'],
  [56, 'Recv failure: Connection reset by peer', 'reset'],
  [127, '', 'error'],
] as const)('curl that ends with %i (%s) is %s', (exit, said, outcome) => {
  expect(outcomeOfCurl(exit, said)).toBe(outcome)
})

test('the server is the first word', () => {
  expect(serverOf('\n rs1 10.0.0.10\n')).toEqual({ server: 'rs1' })
  expect(serverOf(' \n')).toEqual({})
})
