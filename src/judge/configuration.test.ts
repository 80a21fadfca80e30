import { expect, it } from 'vitest'
import type { CommandEvent, LabEvent } from '../history/event.ts'
import { checkConfiguration } from './configuration.ts'
import { historyInTime } from './examples.ts'

const command = 'keepalived --config-test'
const test = (code: number, output = '', changes: Partial<CommandEvent> = {}): CommandEvent => ({
  ...{ kind: 'command', t: 10, done: 20, node: 'd1', command, code, output },
  ...changes,
})
const logs = (line: string, node = 'd1'): LabEvent => ({ kind: 'keepalived', t: 30, node, line })
const judge = (...events: LabEvent[]) => checkConfiguration(historyInTime(events), { director: 'd1', command })

it('passes when keepalived accepts it without a word of complaint', () => {
  expect(judge(test(0), logs('(VI_1) Entering BACKUP STATE'))).toMatchObject({
    outcome: 'PASS',
    measurements: [],
    proof: [{ kind: 'command' }],
  })
  expect(judge(test(0, '', { truncated: true }))).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason: expect.stringContaining('said more than the journal keeps'),
  })
  expect(judge(test(1, '', { truncated: true })).outcome).toBe('FAIL')
  for (const harmless of [
    'SECURITY VIOLATION - scripts are being executed but script_security not enabled. Ignoring.',
    'NOTICE: setting config option max_auto_priority should result in better performance, ignored',
    'Unable to load ipset library - invalid',
    'Registering Kernel netlink reflector, ignoring',
    'Cannot find script conntrackd in path - disabling',
    'Disabling service [10.0.0.10]:tcp:80 to VS [10.0.0.100]:tcp:80',
  ])
    expect(judge(test(0, harmless)).outcome).toBe('PASS')
})

it.each([
  "Unknown keyword 'auth_paas'",
  "WARNING - script '/etc/keepalived/chk.sh' is not executable for uid:gid 0:0 - disabling.",
  'Permissions failure for script killall in path - disabling',
  'unknown scheduler rrr',
  'unknown state MATSER',
  'unknown option -q',
  'option ignored',
  'invalid option, ignoring',
  "(VI_1) invalid priority '300'",
  'priority is not valid',
  'unexpected end of file',
  "ports don't match - resetting",
  'vrid out of range',
  'Truncating auth_pass to 8 characters',
  "missing '{'",
  "missing '}'",
  'unmatched brace',
  'incorrect address',
  '/etc/keepalived/x: No such file or directory',
  "Wrong file type found in script path '/bin/logger'.",
  'Warning - script chk_nginx is not used',
])('fails on a complaint, of the test or in the log: %s', line => {
  expect(judge(test(0, `fine\n  ${line}\n`))).toMatchObject({
    outcome: 'FAIL',
    // one period at its end
    reason: `keepalived on d1 ignores part of its configuration: ${line.replace(/\.$/, '')}.`,
  })
  expect(judge(test(0), logs(line))).toMatchObject({
    outcome: 'FAIL',
    proof: [{ kind: 'command' }, { kind: 'keepalived' }],
  })
  expect(judge(test(0), logs(line, 'd2')).outcome).toBe('PASS')
})

it('fails on an exit code, with the last that it said, or with nothing', () => {
  expect(judge(test(4, 'a\nb\nc\nd\n')).reason).toBe('`keepalived --config-test` ends with 4 on d1: b; c; d.')
  expect(judge(test(1)).reason).toBe('`keepalived --config-test` ends with 1 on d1: without a word.')
  expect(judge(test(1)).measurements).toEqual([])
})

it('says each complaint once, and looks at the last test of the director', () => {
  expect(judge(test(0, 'invalid a\ninvalid b'), logs(' invalid a')).reason).toBe(
    'keepalived on d1 ignores part of its configuration: invalid a; invalid b.',
  )
  expect(judge(test(4), test(0, '', { t: 15 })).outcome).toBe('PASS')
  expect(judge(test(0), test(4, '', { t: 15, node: 'd2' }), test(4, '', { t: 16, command: 'ip a' })).outcome).toBe(
    'PASS',
  )
})

it('says nothing where the test was not run', () => {
  expect(judge(test(0, '', { node: 'd2' }), test(0, '', { command: 'ip a' }))).toMatchObject({
    outcome: 'INCONCLUSIVE',
    reason: '`keepalived --config-test` was not run on d1.',
  })
})
