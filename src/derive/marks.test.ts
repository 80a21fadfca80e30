import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { markQuestions } from './marks.ts'
import { instance, read, service } from './testing.ts'

const given = mkdtempSync(path.join(os.tmpdir(), 'lvslab-derive-marks-'))
mkdirSync(path.join(given, 'etc/iptables'), { recursive: true })
writeFileSync(
  path.join(given, 'etc/iptables/rules.v4'),
  '*mangle\n-A PREROUTING -d 10.0.0.100/32 -p tcp --dport 80 -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n',
)
afterAll(() => rmSync(given, { recursive: true }))

const asked = (mark: number, server: string, from: Record<string, string> = {}): string[] =>
  markQuestions(
    [read('d1', instance({ vips: ['10.0.0.100/24', 'fd00::100/64'] }) + service(`fwmark ${mark}`, 'DR', [server]))],
    [
      { node: 'd0', from: { '/': given } },
      { node: 'd1', from },
    ],
  )

it('asks for the marks of each family in the rules that its packets pass', () => {
  const asks = 'd1: mark 1 is set by no rule that was given: etc/iptables/rules'
  const where = 'must set it, in its folder beside etc/keepalived'
  expect(asked(1, '10.0.0.10')).toEqual([`${asks}.v4 ${where}`])
  expect(asked(1, 'fd00::10')).toEqual([`${asks}.v6 ${where}`])
})

it('asks for none that a rule sets which the director brings', () => {
  expect(asked(7, '10.0.0.10', { '/': given })).toEqual([])
  expect(asked(8, '10.0.0.10', { '/': given })).toHaveLength(1)
  expect(asked(7, 'fd00::10', { '/': given })).toEqual([expect.stringContaining('rules.v6')])
  expect(asked(7, '10.0.0.10', { '/etc/keepalived': given })).toHaveLength(1)
})
