import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LabEvent } from '../history/event.ts'
import { createMasker } from '../history/mask.ts'
import { loadTopology } from '../topology/load.ts'
import { planTopology } from './plan.ts'
import { judgeAgain, readChecks, type SavedCheck, writeChecks } from './saved-checks.ts'
import { convergenceChecks, planScenarios } from './scenarios.ts'

const DR = path.resolve(import.meta.dirname, '../../topologies/keepalived-dr')
const noMask = createMasker([])

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-checks-'))
})
afterEach(() => rm(dir, { recursive: true }))

const VIP = '10.0.0.100'
const holds = (t: number, node: string, change: 'add' | 'remove' = 'add'): LabEvent => ({
  ...{ kind: 'address', t, change, node, device: 'eth0', address: VIP, prefix: 24 },
})
const oneOwner = (lab: string, maxMs: number, forkOf?: string): SavedCheck => ({
  ...{ lab, check: 'single-owner', title: 'one owner', rule: 'single-owner', ...(forkOf && { forkOf }) },
  params: {
    vip: VIP,
    directors: ['d1', 'd2'].map(node => ({ node, address: node })),
    bound: { name: 'handover', formula: 'test', maxMs, source: 'test' },
  },
})
const journal = (lines: [lab: string, event: LabEvent][]): Promise<void> =>
  writeFile(
    path.join(dir, 'journal.ndjson'),
    lines.map(([lab, event]) => `${JSON.stringify({ ...event, lab })}\n`).join(''),
  )

describe('checks.json', () => {
  it('gives every check of a plan back as it was: parameters are plain JSON', async () => {
    const plan = planTopology(loadTopology(DR))
    const limits = [{ measurement: 'client gap', maxMs: 3_000, at: 'topology.yaml:12' }]
    const checks: SavedCheck[] = [
      ...convergenceChecks(plan).map(check => ({ ...check, lab: 'convergence' })),
      ...planScenarios(plan).flatMap(({ name, checks: own }) =>
        own.map(check => ({ ...check, limits, lab: name, forkOf: 'convergence' })),
      ),
    ]
    await writeChecks(dir, checks, noMask)
    expect(await readChecks(dir)).toStrictEqual(checks)
  })

  it('is masked, but for the words that are ours', async () => {
    await writeChecks(
      dir,
      [{ ...oneOwner('single-owner', 1), title: 'pass single-owner' }],
      createMasker(['single-owner']),
    )
    expect(await readChecks(dir)).toMatchObject([{ rule: 'single-owner', lab: 'single-owner', title: 'pass ***' }])
  })

  it('is refused with what is wrong in it, or with how to find a run', async () => {
    await expect(readChecks(path.join(dir, 'none'))).rejects.toMatchObject({
      ...{ code: 'NO_RUN', exitCode: 2, remedy: expect.stringContaining('ls -d reports') },
    })
    await writeChecks(dir, [oneOwner('a', 1)], noMask)
    const file = path.join(dir, 'checks.json')
    await writeFile(file, (await readFile(file, 'utf8')).replace('"rule": "single-owner"', '"rule": "no-owner"'))
    await expect(readChecks(dir)).rejects.toMatchObject({
      ...{ code: 'CHECKS_INVALID', exitCode: 2, message: expect.stringContaining('checks[0].rule') },
    })
  })
})

describe('judging again', () => {
  const handover: [string, LabEvent][] = [
    ['convergence', holds(0, 'd1')],
    ['a', holds(5000, 'd2')],
    ['a', holds(5400, 'd1', 'remove')],
    ['a', { kind: 'mark', t: 9000, label: 'end' }],
  ]

  it('judges each check on its lab, with what happened before the fork', async () => {
    await journal(handover)
    const checks = [oneOwner('convergence', 100), oneOwner('a', 1000, 'convergence'), oneOwner('a', 300, 'convergence')]
    await writeChecks(dir, checks, noMask)
    const { verdicts, torn } = await judgeAgain(dir)
    expect(verdicts.map(verdict => verdict.outcome)).toEqual(['PASS', 'PASS', 'FAIL'])
    expect(torn).toBeUndefined()
  })

  it('judges what a test judged before it went on, on what had happened until then', async () => {
    await journal([...handover, ['a', holds(10_000, 'd1')], ['a', { kind: 'mark', t: 20_000, label: 'later' }]])
    const check = oneOwner('a', 1000, 'convergence')
    await writeChecks(dir, [check, { ...check, events: 4 }], noMask)
    expect((await judgeAgain(dir)).verdicts.map(verdict => verdict.outcome)).toEqual(['FAIL', 'PASS'])
  })

  it('lets nothing pass on a torn journal, or on a lab that is not in it', async () => {
    await journal(handover)
    await appendFile(path.join(dir, 'journal.ndjson'), '{"kind":"mark","t":9')
    await writeChecks(dir, [oneOwner('a', 1000, 'convergence'), oneOwner('b', 1000, 'convergence')], noMask)
    const { verdicts, torn } = await judgeAgain(dir)
    expect(verdicts.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['INCONCLUSIVE', expect.stringContaining('line 5 of the journal is torn')],
      ['INCONCLUSIVE', 'The journal has nothing of the lab b.'],
    ])
    expect(torn?.line).toBe(5)
  })

  it('says file and line of a journal that was edited', async () => {
    await journal(handover)
    await appendFile(path.join(dir, 'journal.ndjson'), 'so it ends\n')
    await writeChecks(dir, [oneOwner('a', 1000)], noMask)
    await expect(judgeAgain(dir)).rejects.toMatchObject({
      ...{ code: 'JOURNAL_INVALID', at: { file: path.join(dir, 'journal.ndjson'), line: 5 } },
    })
  })
})
