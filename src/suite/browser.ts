import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createBrotliDecompress } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'
import { LvslabError, messageOf } from '../errors.ts'
import { forward } from '../lab/forward.ts'
import type { Lab } from '../lab/lab.ts'

/** A headless Chromium on this host, for which a lab's address is where it is in the lab. */
export interface LabBrowser extends AsyncDisposable {
  browser: Browser
}

/**
 * Starts a browser that sees one address of a lab, with the connections of a node there, and nothing else of the world.
 *
 * @param target `192.168.0.111:80`
 * @throws LvslabError FORWARD_CLOCK, BROWSER_MISSING with the command that installs one
 */
export const openBrowser = async (lab: Lab, node: string, target: string): Promise<LabBrowser> => {
  await using stack = new AsyncDisposableStack()
  const { port } = stack.use(await forward(lab, node, target))
  const rules = [`MAP ${target} 127.0.0.1:${port}`, 'MAP * ~NOTFOUND']
  const browser = await startChromium(stack, [`--host-resolver-rules=${rules.join(',')}`])
  stack.defer(() => browser.close())
  const all = stack.move()
  return { browser, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Debian's Chromium, for hosts on which the one of the npm package does not start. */
const DEBIAN_CHROMIUM = '/usr/bin/chromium'

const startChromium = async (stack: AsyncDisposableStack, args: string[]): Promise<Browser> => {
  try {
    return await launchUnpacked(stack, args)
  } catch (cause) {
    const installed = await access(DEBIAN_CHROMIUM).then(
      () => true,
      () => false,
    )
    if (installed) return chromium.launch({ executablePath: DEBIAN_CHROMIUM, args })
    const why = messageOf(cause).trim().split('\n')[0]
    throw new LvslabError('BROWSER_MISSING', `the Chromium of @sparticuz/chromium does not start: ${why}`, {
      remedy: 'sudo apt-get install -y chromium',
      cause,
    })
  }
}

const PACKED = path.join(path.dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '../bin')

/**
 * The Chromium that the npm package brings, compressed, with the libraries and fonts that a bare host lacks. The package's own
 * function would unpack it to one place for all users of the machine, and leave it there.
 */
const launchUnpacked = async (stack: AsyncDisposableStack, args: string[]): Promise<Browser> => {
  const { dir } = stack.use(await guardedFolder())
  const executablePath = path.join(dir, 'chromium')
  await Promise.all([
    unpack('chromium.br', createWriteStream(executablePath, { mode: 0o700 })),
    untar('al2023.tar.br', dir),
  ])
  const env = { ...process.env, LD_LIBRARY_PATH: path.join(dir, 'lib') }
  return chromium.launch({ executablePath, args, env })
}

/** A temporary folder that a shell removes when it is disposed of, or this process is gone: after Ctrl-C it disposes of nothing. */
const guardedFolder = async (): Promise<{ dir: string } & AsyncDisposable> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'lvslab-browser-'))
  // of a session of its own: the Ctrl-C is not for it
  const guard = spawn('sh', ['-c', 'read _; rm -rf "$1"', 'guard', dir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
  return {
    dir,
    [Symbol.asyncDispose]: async () => {
      const ended = once(guard, 'close')
      guard.stdin.end()
      await ended
    },
  }
}

const unpack = (name: string, to: NodeJS.WritableStream): Promise<void> =>
  pipeline(createReadStream(path.join(PACKED, name)), createBrotliDecompress(), to)

/** By way of a file: a tar that reads a pipe may end before Node knows that it has written all, which then is an error. */
const untar = async (name: string, dir: string): Promise<void> => {
  const archive = path.join(dir, path.basename(name, '.br'))
  await unpack(name, createWriteStream(archive))
  await promisify(execFile)('tar', ['-x', '-f', archive, '-C', dir])
  await rm(archive)
}
