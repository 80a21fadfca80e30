import { expect, it } from 'vitest'
import { evidenceOf } from './evidence.ts'

const said = (stdout: string, stderr = '') =>
  evidenceOf('d1', ['ipvsadm', '-Lnc'], { started: 5, ended: 9, code: 0, stdout, stderr })

it('has both of what a command wrote', () => {
  expect(said('out', 'err')).toEqual({
    ...{ kind: 'command', t: 5, done: 9, node: 'd1', command: 'ipvsadm -Lnc', code: 0, output: 'outerr' },
  })
})

it('says so where the journal has a part alone', () => {
  expect(said('x'.repeat(65_536))).not.toHaveProperty('truncated')
  expect(said('x'.repeat(65_536), 'y')).toMatchObject({ truncated: true, output: expect.stringMatching(/^x{65536}$/) })
})
