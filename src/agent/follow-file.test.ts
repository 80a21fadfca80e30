import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { followFile } from './follow-file.ts'

const fileWith = (content: string): string => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-follow-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = path.join(dir, 'log')
  writeFileSync(file, content)
  return file
}

test('what a file has and what is appended comes line by line', async () => {
  const file = fileWith('one\ntw')
  const lines: string[] = []
  const { close } = followFile(file, line => lines.push(line))
  expect(lines).toEqual(['one'])
  appendFileSync(file, 'o\n')
  await vi.waitFor(() => expect(lines).toEqual(['one', 'two']))
  close()
})

test('from its end, what it has is left out', () => {
  const file = fileWith('one\n')
  const lines: string[] = []
  const { close } = followFile(file, line => lines.push(line), 'end')
  appendFileSync(file, 'two\n')
  close() // reads what nobody has announced yet
  expect(lines).toEqual(['two'])
})

test('another goes on where the first was closed', () => {
  const file = fileWith('one\n')
  const lines: string[] = []
  const position = followFile(file, () => {}).close()
  appendFileSync(file, 'two\n')
  followFile(file, line => lines.push(line), position).close()
  expect(lines).toEqual(['two'])
})
