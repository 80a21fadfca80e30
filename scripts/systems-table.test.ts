import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { resultsOf, type System, systemsTable } from './systems-table.ts'

const suite = (name: string, tests: number, failures: number, skipped = 0): string =>
  `<testsuite name="${name}" hostname="vm" tests="${tests}" failures="${failures}" errors="0" skipped="${skipped}" time="1">`

const system = { document: '001', system: 'TUN', topology: 'ipvsadm-tun', shows: 'the tunnel' }

describe('the table of systems', () => {
  it('has what the run came to, suite by suite', () => {
    const results = resultsOf(
      `${suite('suites/tun.test.ts', 5, 0)}${suite('suites/dr.test.ts', 4, 1, 2)}${suite('src/a.test.ts', 9, 9)}`,
    )
    expect([...results.keys()]).toEqual(['tun', 'dr'])
    const table = (suites: string[]): string => systemsTable([{ ...system, suites }], results).split('\n')[2] ?? ''
    expect(table(['tun'])).toBe(
      '| 001 | TUN | [ipvsadm-tun](topologies/ipvsadm-tun) | the tunnel ([tun](suites/tun.test.ts)) | 5 passed |',
    )
    expect(table(['tun', 'dr'])).toContain('| 6 passed, **1 failed**, 2 not run |')
    expect(table(['tun', 'nat'])).toContain('| not run |')
  })

  it('stands in the README as systems.yaml has it', () => {
    const read = (file: string): string => readFileSync(path.join(import.meta.dirname, '..', file), 'utf8')
    const readme = read('README.md')
    for (const { shows } of parse(read('suites/systems.yaml')) as System[]) expect(readme).toContain(`| ${shows} (`)
  })
})
