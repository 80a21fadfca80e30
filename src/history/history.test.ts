import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabEvent, RequestEvent } from './event.ts'
import { History, historyOf, readHistories } from './history.ts'
import { requestsOf } from './queries.ts'

const mark = (t: number): LabEvent => ({ kind: 'mark', t, label: `step ${t}` })
const request = (t: number, changes: Partial<RequestEvent> = {}): RequestEvent => ({
  ...{ kind: 'request', t, scheduled: t, done: t + 2, probe: 'p', n: t, client: 'c1', source: '10.0.0.50' },
  ...{ target: 'http://10.0.0.100/', outcome: 'answered', status: 200, server: 'rs1', ...changes },
})

const time = fc.double({ noNaN: true })
const text = fc.string()
const anyRequest = fc.record(
  {
    ...{ kind: fc.constant('request' as const), t: time, scheduled: time, done: time, n: fc.nat(), probe: text },
    ...{ client: text, source: text, sourcePort: fc.nat(65_535), target: text, status: fc.nat(999), server: text },
    ...{ outcome: fc.constantFrom('answered' as const, 'refused' as const, 'timeout' as const), detail: text },
  },
  { requiredKeys: ['kind', 't', 'scheduled', 'done', 'n', 'probe', 'client', 'source', 'target', 'outcome'] },
)
const anyEvents = fc.array(
  fc.oneof(anyRequest, fc.record({ kind: fc.constant('mark' as const), t: time, label: text })),
)

describe('History', () => {
  it('gives back every event as it was, in the order in which it came', () => {
    fc.assert(
      fc.property(anyEvents, events => {
        const history = historyOf(events)
        expect([...history]).toEqual(events)
        expect(history.size).toBe(events.length)
        expect(history.of('mark')).toEqual(events.filter(event => event.kind === 'mark'))
      }),
    )
  })

  it('keeps more requests than a page of its columns has', () => {
    const requests = Array.from({ length: 10_000 }, (_, n) => request(n, { sourcePort: n, server: `rs${n % 7}` }))
    const history = historyOf(requests)
    expect([...history]).toEqual(requests)
    expect(requestsOf(history, 'p', { from: 4095, until: 4097 }).map(one => one.n)).toEqual([4095, 4096, 4097])
  })

  it('ends where the last of its events was over', () => {
    const history = new History()
    expect(history.end).toBe(0)
    history.add(request(10, { done: 1010 }))
    history.add(mark(20))
    expect(history.end).toBe(1010)
  })
})

describe('readHistories', () => {
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lvslab-history-'))
  })
  afterAll(() => rm(dir, { recursive: true }))

  const write = async (name: string, lines: [lab: string, event: LabEvent][]): Promise<string> => {
    const path = join(dir, name)
    await writeFile(path, lines.map(([lab, event]) => `${JSON.stringify({ ...event, lab })}\n`).join(''))
    return path
  }

  it('has a history for each lab', async () => {
    const path = await write('two', [
      ['a', mark(1)],
      ['b', request(2)],
      ['a', mark(3)],
    ])
    const { labs } = await readHistories(path)
    expect([...labs].map(([lab, history]) => [lab, [...history]])).toEqual([
      ['a', [mark(1), mark(3)]],
      ['b', [request(2)]],
    ])
  })

  it('begins the history of a fork with that of the lab that it is a fork of', async () => {
    const path = await write('fork', [
      ['convergence', mark(1)],
      ['a', mark(3)],
      ['b', mark(2)],
    ])
    const { labs } = await readHistories(path, new Map([['a', 'convergence']]))
    expect([...labs].map(([lab, history]) => [lab, history.size])).toEqual([
      ['convergence', 1],
      ['a', 2],
      ['b', 1],
    ])
  })

  it('tells of a torn last line every lab that it may have been of, and no other', async () => {
    const path = await write('torn', [
      ['over', mark(1)],
      ['a', mark(3)],
      ['b', mark(4)],
      ['a', mark(5)],
    ])
    await appendFile(path, '{"kind":"ma')
    const { labs } = await readHistories(path)
    const troubles = [...labs].map(([lab, history]) => [lab, history.of('trouble').map(event => event.what)])
    expect(troubles).toEqual([
      ['over', []],
      ['a', [expect.stringContaining('line 5 of the journal is torn')]],
      ['b', [expect.stringContaining('line 5 of the journal is torn')]],
    ])
  })

  it('throws file and line for what is no event', async () => {
    const path = await write('edited', [['a', mark(1)]])
    await appendFile(path, '{"kind":"requst","t":2,"lab":"a"}\n')
    await expect(readHistories(path)).rejects.toMatchObject({ code: 'JOURNAL_INVALID', at: { file: path, line: 2 } })
  })
})
