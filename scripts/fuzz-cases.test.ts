import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { fuzzCase, type Sample, samplesIn } from './fuzz-cases.ts'

const samples: Sample[] = [
  { name: 'a.conf', reader: 'keepalived', bytes: Buffer.from('vrrp_instance V {\n priority 100\n}\n') },
  { name: 'ipvsadm.rules', reader: 'ipvsadm', bytes: Buffer.from('-A -t 10.0.0.1:80 -s rr\n') },
]

it('finds the files that a reader is for', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lvslab-samples-'))
  for (const name of ['keepalived.conf.vrrp', 'part.conf', 'ipvsadm.rules', 'ldirectord.cf', 'README.md'])
    writeFileSync(path.join(folder, name), '')
  expect(samplesIn(folder).map(({ name, reader }) => `${path.basename(name)} ${reader}`)).toEqual([
    'ipvsadm.rules ipvsadm',
    'keepalived.conf.vrrp keepalived',
    'ldirectord.cf ldirectord',
    'part.conf keepalived',
  ])
  rmSync(folder, { recursive: true })
})

it('makes the same case of the same seed and number, and others of others', () => {
  const cases = Array.from({ length: 50 }, (_, n) => fuzzCase(samples, 7, n).bytes.toString('latin1'))
  expect(Array.from({ length: 50 }, (_, n) => fuzzCase(samples, 7, n).bytes.toString('latin1'))).toEqual(cases)
  expect(new Set(cases).size).toBeGreaterThan(40)
  expect(fuzzCase(samples, 8, 0).bytes.equals(fuzzCase(samples, 7, 0).bytes)).toBe(false)
})
