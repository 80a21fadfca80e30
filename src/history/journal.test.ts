import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JournalLine } from './event.ts'
import { openJournal, readJournal } from './journal.ts'
import { createMasker } from './mask.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lvslab-journal-'))
})
afterAll(() => rm(dir, { recursive: true }))

const mark = (t: number, label = `step ${t}`): JournalLine => ({ kind: 'mark', t, label, lab: 'a' })
const read = async (path: string): Promise<JournalLine[]> => {
  const lines: JournalLine[] = []
  for await (const line of readJournal(path)) lines.push(line)
  return lines
}
const noMask = createMasker([])

describe('openJournal', () => {
  it('writes lines in the order of the calls, awaited or not', async () => {
    const path = join(dir, 'deep/order.ndjson')
    const lines = Array.from({ length: 500 }, (_, i) => mark(i))
    {
      await using journal = await openJournal(path, noMask)
      for (const line of lines.slice(0, 250)) void journal.write(line)
      for (const line of lines.slice(250)) await journal.write(line)
    }
    expect(await read(path)).toEqual(lines)
  })

  it('has a line on disk when its write resolves', async () => {
    const path = join(dir, 'now.ndjson')
    await using journal = await openJournal(path, noMask)
    await journal.write(mark(1))
    expect(await read(path)).toEqual([mark(1)])
  })

  it('masks before it formats', async () => {
    const path = join(dir, 'mask.ndjson')
    const journal = await openJournal(path, createMasker(['a"b']))
    await journal.write(mark(1, 'pass a"b'))
    await journal.close()
    await journal.close()
    expect(await readFile(path, 'utf8')).toBe('{"kind":"mark","t":1,"label":"pass ***","lab":"a"}\n')
    await expect(journal.write(mark(2))).rejects.toMatchObject({ code: 'JOURNAL_CLOSED' })
  })

  it('adds to a journal, and cuts off the torn line of a writer that died', async () => {
    const path = join(dir, 'again.ndjson')
    await writeFile(path, `${JSON.stringify(mark(1))}\n{"kind":"ma`)
    {
      await using journal = await openJournal(path, noMask)
      await journal.write(mark(2))
    }
    expect(await read(path)).toEqual([mark(1), expect.objectContaining({ kind: 'trouble', t: 1, lab: 'a' }), mark(2)])

    await appendFile(path, JSON.stringify(mark(3)))
    await (await openJournal(path, noMask)).close()
    expect((await readFile(path, 'utf8')).endsWith('"lab":"a"}\n')).toBe(true)
  })

  it('tells every lab in it that the end is torn: which of them lost a line, nobody knows', async () => {
    const path = join(dir, 'several.ndjson')
    const [one, other] = [mark(1), { ...mark(2), lab: 'b' }]
    await writeFile(path, `${JSON.stringify(one)}\n${JSON.stringify(other)}\n{"kind":"ma`)
    await (await openJournal(path, noMask)).close()
    const trouble = (lab: string) => expect.objectContaining({ kind: 'trouble', t: 2, lab })
    expect(await read(path)).toEqual([one, other, trouble('a'), trouble('b')])
  })

  it('throws a failure once more on close', async () => {
    const journal = await openJournal('/dev/full', noMask)
    await expect(journal.write(mark(1))).rejects.toMatchObject({ code: 'JOURNAL_WRITE' })
    void journal.write(mark(2))
    await expect(journal.close()).rejects.toMatchObject({ code: 'JOURNAL_WRITE' })
  })

  it('names the path that it cannot write', async () => {
    const file = join(dir, 'file')
    await writeFile(file, '')
    await expect(openJournal(join(file, 'journal'), noMask)).rejects.toThrow(join(file, 'journal'))
  })
})

describe('readJournal', () => {
  it('keeps line separators that JSON leaves alone, and long lines', async () => {
    const path = join(dir, 'separators.ndjson')
    const lines = [mark(1, 'a\u2028b\u2029c\rd\ne'), mark(2, 'é'.repeat(100_000)), mark(3)]
    await writeFile(path, lines.map(line => `${JSON.stringify(line)}\n`).join('\n'))
    expect(await read(path)).toEqual(lines)
  })

  it('reports a torn last line as trouble', async () => {
    const path = join(dir, 'torn.ndjson')
    await writeFile(path, `${JSON.stringify(mark(7))}\n{"kind":"mark","t":8`)
    expect(await read(path)).toEqual([
      mark(7),
      {
        kind: 'trouble',
        t: 7,
        lab: 'a',
        what: expect.stringContaining('line 2 of the journal is torn after 20 bytes'),
      },
    ])
  })

  it.each([
    '{"kind":"mark"',
    '[]',
    'null',
    '{"kind":"mark","t":"1","lab":"a"}',
    '{"t":1,"lab":"a"}',
    '{"kind":"address","t":1,"lab":"a"}',
  ])('throws file:line for a malformed line in the middle: %s', async text => {
    const path = join(dir, 'malformed.ndjson')
    await writeFile(path, `${JSON.stringify(mark(1))}\n${text}\n${JSON.stringify(mark(2))}\n`)
    await expect(read(path)).rejects.toMatchObject({
      code: 'JOURNAL_INVALID',
      at: { file: path, line: 2, column: 1 },
    })
  })

  it('throws file:line for a line that is longer than any event, unread', async () => {
    const path = join(dir, 'long.ndjson')
    await writeFile(path, `${JSON.stringify(mark(1))}\n`)
    await truncate(path, 700e6) // sparse
    await expect(read(path)).rejects.toMatchObject({
      ...{ code: 'JOURNAL_INVALID', exitCode: 2, at: { file: path, line: 2, column: 1 } },
    })
  })

  it('is lazy: a reader that stops early never sees what comes later', async () => {
    const path = join(dir, 'lazy.ndjson')
    await writeFile(path, `${JSON.stringify(mark(1))}\nnonsense\n`)
    for await (const line of readJournal(path)) {
      expect(line).toEqual(mark(1))
      break
    }
  })

  it('names a journal that is not there', async () => {
    await expect(read(join(dir, 'none'))).rejects.toMatchObject({ code: 'JOURNAL_UNREADABLE' })
  })
})
