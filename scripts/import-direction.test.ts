import { describe, expect, it } from 'vitest'
import { wrongImports } from './import-direction.ts'

describe('the direction of imports', () => {
  it('names file, line, what is imported, and what may be', () => {
    const text = `import path from 'node:path'\nimport { z } from 'zod'\nimport { lab } from '../lab/lab.ts'\n`
    expect(wrongImports('src/judge/x.ts', text)).toEqual([
      'src/judge/x.ts:3 imports src/lab/lab.ts: judge may import history, model, errors',
    ])
  })

  it('lets a folder import itself and what stands before it', () => {
    const text = `import { a } from './a.ts'\nimport { b } from '../errors.ts'\nimport { c } from '../history/c.ts'\n`
    expect(wrongImports('src/judge/x.ts', text)).toEqual([])
    expect(
      wrongImports('src/report/panel/x.ts', `import { a } from '../a.ts'\nexport * from '../../judge/b.ts'`),
    ).toEqual([])
  })

  it.each([
    [`import { type A } from '../model/a.ts'`, 1],
    [`import {\n  a,\n} from '../model/a.ts'`, 1],
    [`import '../model/a.ts'`, 1],
    [`export { a } from '../model/a.ts'`, 1],
    [`const a = await import('../model/a.ts')`, 1],
    [`import type { A } from '../model/a.ts'`, 0],
    [`export type { A } from '../model/a.ts'`, 0],
    [`const a = "import { a } from '../lab/a.ts'" // import '../lab/b.ts'`, 0],
  ])('where types alone are allowed: %j', (text, count) => {
    expect(wrongImports('src/config/x.ts', text)).toHaveLength(count)
  })

  it('lets the lab import one file of the agent', () => {
    expect(wrongImports('src/lab/x.ts', `import { AGENT_PROGRAM } from '../agent/protocol.ts'`)).toEqual([])
    expect(wrongImports('src/lab/x.ts', `import { main } from '../agent/main.ts'`)).toHaveLength(1)
  })

  it('keeps what is made for tests out of the product', () => {
    const text = `import { sampleRun } from '../report/sample-run.ts'`
    expect(wrongImports('src/cli/x.ts', text)).toHaveLength(1)
    expect(wrongImports('src/judge/x.test.ts', text)).toEqual([])
  })

  it('lets no code out of src, and no folder be without a rule', () => {
    expect(wrongImports('src/cli/x.ts', `import { a } from '../../scripts/a.ts'`)).toHaveLength(1)
    expect(wrongImports('src/cli/x.ts', `import a from '../../package.json' with { type: 'json' }`)).toEqual([])
    expect(wrongImports('src/other/x.ts', '')).toEqual([
      'src/other/x.ts: scripts/import-direction.ts has no rule for other',
    ])
  })
})
