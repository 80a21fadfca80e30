import { expect, test } from 'vitest'
import { startFailed } from './start-failed.ts'

const ended = new Error('Log stream ended and message "lvslab-node-ready" was not received')

test('a node that ended has its last words, and the rule that was not taken', () => {
  expect(startFailed('rs1', 'no such thing\n', [], ended).message).toBe(
    'rs1 ended while it was set up; its last words: no such thing',
  )
  const said =
    'iptables-restore v1.8.11 (nf_tables): unknown option "--dprt"\nError occurred at line: 2\nTry `iptables-restore -h\'\niptables-restore did not take /etc/iptables/rules.v4\n'
  const content = Buffer.from('*filter\n-A INPUT -p tcp --dprt 80 -j DROP\nCOMMIT\n')
  const files = [{ path: '/etc/iptables/rules.v4', content, mode: 0o644 as const }]
  expect(startFailed('d1', said, files, ended)).toMatchObject({
    message: expect.stringMatching(
      /did not take \/etc\/iptables\/rules\.v4\nline 2 of it: -A INPUT -p tcp --dprt 80 -j DROP$/,
    ),
    remedy: 'correct it, below iptables of d1 in topology.yaml or in d1/etc/iptables/rules.v4',
  })
})

test('one that is not ready in time says so', () => {
  const late = new Error('Log message "lvslab-node-ready" not received after 60000ms')
  expect(startFailed('rs1', '', [], late)).toMatchObject({
    code: 'LAB_NODE_START',
    message: `rs1 did not start: ${late.message}`,
  })
})
