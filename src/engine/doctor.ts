import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import Docker from 'dockerode'
import { type Finding, finding, firstLine } from './finding.ts'
import { host } from './host-command.ts'
import { findLeftovers } from './leftovers.ts'
import { checkDisk, checkMemory, checkTemporary } from './room.ts'
import { findEngine } from './vm/build.ts'
import { checkPrograms, checkSubordinateIds } from './vm/requirements.ts'
import { checkKvm, tryPasst, tryQemu } from './vm/trials.ts'
import { checkUserNamespace } from './vm/user-namespace.ts'

export type { Finding } from './finding.ts'

/**
 * Tries everything that building and running labs needs of this machine, each by doing it, in a few seconds and without
 * leaving anything behind. It downloads one small file and builds nothing.
 *
 * @throws when the signal aborts, and never otherwise: what fails is a finding
 */
export const runDoctor = async (signal?: AbortSignal): Promise<Finding[]> => {
  const check = (what: string, run: () => Promise<Finding>): Promise<Finding> => finding(what, run, signal)
  const findings = [checkProcessor(process.platform, os.machine()), checkNode(process.version)]
  const build = await findEngine().catch(() => undefined)
  findings.push(await check('disk', () => checkDisk(build ? 'a template' : 'the first build')))
  if (!build) findings.push(await check('temporary folder', checkTemporary))
  findings.push(checkMemory())
  const programs = await checkPrograms(signal)
  findings.push(...programs)
  const plainUser = process.getuid?.() !== 0
  let withIds = false
  if (plainUser) {
    const ids = await check('subordinate IDs', checkSubordinateIds)
    findings.push(ids)
    withIds = ids.state === 'found' && programs.every(one => one.state === 'found')
  }
  findings.push(await check('user namespaces', () => checkUserNamespace(withIds, signal)))
  if (build) {
    findings.push(await check('passt', () => tryPasst(build, signal)))
    findings.push(await check('QEMU', () => tryQemu(build, signal)))
  } else {
    const detail = 'not built yet: the first run does it, in a minute or two'
    findings.push({ what: 'engine', state: 'warning', detail, remedy: 'lvslab engine build' })
  }
  findings.push(await check('KVM', () => checkKvm(build, signal)))
  findings.push(await check('Debian mirror', () => checkMirror(build !== undefined, signal)))
  if (process.env['DOCKER_HOST']) findings.push(await check('DOCKER_HOST', () => checkDockerHost(signal)))
  findings.push(await check('leftovers', checkLeftovers))
  return findings
}

/** The engine's packages are Debian's amd64. */
export const checkProcessor = (platform: string, machine: string): Finding => {
  const detail = `${platform} on ${machine}`
  if (platform === 'linux' && machine === 'x86_64') return { what: 'processor', state: 'found', detail }
  return {
    what: 'processor',
    state: 'missing',
    detail: `${detail}: the engine is built for Linux on x86_64`,
    remedy: '# run lvslab on such a machine, or in a virtual machine of that kind',
  }
}

/** Node that runs TypeScript as it is; scripts/run brings it. */
export const checkNode = (version: string): Finding => {
  const [major = 0] = version.replace(/^v/, '').split('.').map(Number)
  if (major >= 24) return { what: 'Node.js', state: 'found', detail: version }
  const detail = `${version}, 24 or later needed`
  return { what: 'Node.js', state: 'missing', detail, remedy: 'npm install --no-save && npm run lvslab -- doctor' }
}

const MIRROR = 'http://deb.debian.org'

/** How long the mirror may think; s. */
const MIRROR_TIMEOUT_S = 5

/** Downloads the Release file of the suite, with apt's own downloader: the machine's proxy settings hold. */
const checkMirror = async (built: boolean, signal?: AbortSignal): Promise<Finding> => {
  const what = 'Debian mirror'
  const mirror = process.env['LVSLAB_DEBIAN_MIRROR'] ?? MIRROR
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-try-'))
  try {
    const options = [`Acquire::http::Timeout=${MIRROR_TIMEOUT_S}`, `Acquire::https::Timeout=${MIRROR_TIMEOUT_S}`]
    const flags = [...options, 'Acquire::Retries=0'].flatMap(option => ['-o', option])
    const file = [`${mirror}/debian/dists/trixie/Release`, path.join(dir, 'Release')]
    // a name server that does not answer is not apt's timeout
    const limit = ['timeout', '--signal', 'KILL', String(2 * MIRROR_TIMEOUT_S)]
    const command = [...limit, '/usr/lib/apt/apt-helper', ...flags, 'download-file', ...file]
    const result = await host({ signal, nothrow: true })`exec ${command}`
    signal?.throwIfAborted()
    if (result.exitCode === 0) return { what, state: 'found', detail: `${mirror} answers` }
    const why = firstLine(result.stderr || `no answer within ${2 * MIRROR_TIMEOUT_S} s`)
    return {
      what,
      state: built ? 'warning' : 'missing',
      detail: `${why}${built ? ' (only a build needs it, and the engine is built)' : ''}`,
      remedy: 'export LVSLAB_DEBIAN_MIRROR=http://a.mirror.near.you',
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** How long a Docker Engine may think; ms. */
const DOCKER_TIMEOUT_MS = 5_000

/** Whether the engine that DOCKER_HOST names answers; only `--engine docker` uses it. */
const checkDockerHost = async (signal?: AbortSignal): Promise<Finding> => {
  const what = 'DOCKER_HOST'
  const value = process.env['DOCKER_HOST'] ?? ''
  const docker = new Docker({ timeout: DOCKER_TIMEOUT_MS })
  try {
    const { Version, KernelVersion } = await docker.version()
    signal?.throwIfAborted()
    return { what, state: 'found', detail: `${value}: Docker ${Version}, kernel ${KernelVersion}` }
  } catch (error) {
    signal?.throwIfAborted()
    const why = firstLine(error instanceof Error ? error.message : String(error))
    return { what, state: 'warning', detail: `${value} does not answer: ${why}`, remedy: 'unset DOCKER_HOST' }
  }
}

const checkLeftovers = async (): Promise<Finding> => {
  const what = 'leftovers'
  // a folder that cannot be read has its own finding
  const found = await findLeftovers().catch(() => [])
  if (found.length === 0) return { what, state: 'found', detail: 'none' }
  const gigabytes = found.reduce((sum, one) => sum + one.bytes, 0) / 1e9
  const names = found.slice(0, 3).map(one => one.what)
  if (found.length > names.length) names.push('...')
  const detail = `${found.length} of killed runs, ${gigabytes.toFixed(1)} GB: ${names.join(', ')}`
  return { what, state: 'warning', detail, remedy: 'lvslab engine gc' }
}
