import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'

/** Reads its port, a named pipe here, and fails when it is told so. */
const PROGRAM = `
  const { openPort } = await import(process.argv[1])
  openPort(process.argv[2]).input.on('data', () => setImmediate(() => { throw new Error('no more') }))`

it('ends with its last words where nobody catches an error, though a read of the port is under way', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-port-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const device = path.join(dir, 'port')
  execFileSync('mkfifo', [device])
  const args = ['--input-type=module', '-e', PROGRAM, path.resolve('src/agent/port.ts'), device]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL')) // without what is tested it would not end
  let words = ''
  child.stderr.on('data', chunk => {
    words += String(chunk)
  })
  const end = createWriteStream(device, { flags: 'r+' })
  end.write('fail')
  const [, signal] = await once(child, 'close')
  end.destroy()
  expect({ signal, words }).toMatchObject({ signal: 'SIGKILL', words: expect.stringContaining('Error: no more') })
})
