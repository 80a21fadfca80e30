import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { buildEntry, entryDir, hasEntry } from '../cache.ts'
import { host } from '../host-command.ts'
import type { Steps } from '../progress.ts'
import { makeCertificates } from './certificates.ts'
import { debFile, fetchDebs } from './debs.ts'
import { type Kernel, makeInitramfs } from './initramfs.ts'
import { type Lock, lockedVersion, readLock } from './packages.ts'
import { requireRoom } from '../room.ts'
import { requireBuildTools } from './requirements.ts'
import { DISK_MIB } from './machine.ts'
import { makeRootFilesystem } from './root-filesystem.ts'
import { runTool } from './tools.ts'

/** Raised when the steps below make something else from the same inputs. */
const RECIPE = 3

/** A built engine: files in the cache that never change again. */
export interface EngineBuild {
  key: string
  /** Of this very build: another from the same inputs has other bytes, and nothing that stands on this one fits it. */
  id: string
  dir: string
  tools: string
  kernel: string
  kernelRelease: string
  initramfs: string
  trialInitramfs: string
  /** Raw disk image with the guest's root filesystem, to be copied. */
  disk: string
  /** Root filesystem of the base image, to be imported. */
  baseImage: string
  /** ca.pem, cert.pem and key.pem of the one client. */
  clientCertificates: string
  versions: Record<string, string>
}

/** Hash of all that goes into the engine: the lock, the guest's programs, the recipe. */
export const engineKey = async (lock: Lock): Promise<string> => {
  const hash = createHash('sha256').update(JSON.stringify([RECIPE, DISK_MIB, lock.sets]))
  const guest = path.join(import.meta.dirname, 'guest')
  for (const name of (await readdir(guest)).sort()) hash.update(name).update(await readFile(path.join(guest, name)))
  return hash.digest('hex').slice(0, 16)
}

/** The engine of this checkout's lock, or undefined where it is not built yet. */
export const findEngine = async (): Promise<EngineBuild | undefined> => {
  const key = await engineKey(readLock())
  return (await hasEntry('engines', key)) ? describe(key) : undefined
}

/** Builds the engine where it is missing: about a minute and 250 MB of downloads for the first, nothing afterwards. */
export const ensureEngine = async (steps: Steps, signal?: AbortSignal): Promise<EngineBuild> => {
  const lock = readLock()
  const key = await engineKey(lock)
  if (await hasEntry('engines', key)) return describe(key)
  await requireRoom('the first build')
  await requireBuildTools(steps, signal)
  await steps.step('Build the engine', async progress => {
    const onWait = (): void => progress('another lvslab is building it: waiting')
    await buildEntry('engines', key, dir => build(dir, lock, steps, signal), { signal, onWait })
  })
  return describe(key)
}

const build = async (dir: string, lock: Lock, steps: Steps, signal?: AbortSignal): Promise<void> => {
  const { sets } = lock
  await steps.step('Download pinned Debian packages', progress =>
    fetchDebs(lock, Object.values(sets).flat(), progress, signal),
  )
  const kernel = await steps.step('Unpack QEMU, passt and the kernel', async () => {
    const tools = path.join(dir, 'tools')
    await mkdir(tools)
    await unpack(sets.tools.map(debFile), tools, signal)
    return unpackKernel(dir, sets.kernel.map(debFile), signal)
  })
  await allEnded([
    steps.step('Install the guest: Docker Engine, crun, iproute2', async () => {
      const modules = path.join(dir, 'modules.tar')
      await host({ signal })`tar -C ${path.join(dir, 'kernel')} -cf ${modules} ./usr/lib/modules`
      const tar = path.join(dir, 'guest.tar')
      const hooks = [`--customize-hook=tar-in ${modules} /`]
      await makeRootFilesystem(sets.guest, tar, { include: sets.guest.map(p => p.name), hooks, signal })
      await makeDisk(path.join(dir, 'tools'), tar, path.join(dir, 'disk.raw'), signal)
      await rm(tar)
      await rm(modules)
    }),
    steps.step('Install the base image: keepalived, ipvsadm, Apache, nginx', () =>
      makeRootFilesystem(sets.image, path.join(dir, 'base-image.tar'), {
        include: sets.image.map(p => p.name),
        signal,
      }),
    ),
  ])
  await steps.step('Make the certificates and the initial RAM filesystem', async () => {
    const [tools, certificates] = [path.join(dir, 'tools'), path.join(dir, 'tls')]
    await makeCertificates(tools, certificates)
    await makeInitramfs(path.join(dir, 'initramfs'), { tools, kernel, certificates, trial: false })
    await makeInitramfs(path.join(dir, 'trial-initramfs'), { tools, kernel, certificates, trial: true })
    await rm(path.join(certificates, 'server'), { recursive: true })
    await rm(path.join(dir, 'kernel/usr'), { recursive: true })
  })
  await writeFile(path.join(dir, 'kernel/release'), kernel.release)
  await writeFile(path.join(dir, 'id'), randomUUID())
}

/** Waits for all, also when one fails: what goes on writing would bring back the folder that is being removed. */
const allEnded = async (work: Promise<unknown>[]): Promise<void> => {
  const failed = (await Promise.allSettled(work)).find(result => result.status === 'rejected')
  if (failed) throw failed.reason
}

/** Files of packages, without their maintainer scripts; two at a time, one for each core that can be expected. */
const unpack = async (debs: string[], into: string, signal?: AbortSignal): Promise<void> => {
  const queue = [...debs]
  const worker = async (): Promise<void> => {
    for (let deb = queue.shift(); deb; deb = queue.shift()) await host({ signal })`dpkg-deb --extract ${deb} ${into}`
  }
  await allEnded([worker(), worker()])
}

const unpackKernel = async (dir: string, debs: string[], signal?: AbortSignal): Promise<Kernel> => {
  const root = path.join(dir, 'kernel')
  await mkdir(root)
  await unpack(debs, root, signal)
  const [release = ''] = await readdir(path.join(root, 'usr/lib/modules'))
  await host()`cp ${path.join(root, 'boot', `vmlinuz-${release}`)} ${path.join(root, 'vmlinuz')}`
  await rm(path.join(root, 'boot'), { recursive: true })
  await runTool(path.join(dir, 'tools'), 'usr/sbin/depmod', ['-b', path.join(root, 'usr'), release])
  const modules = path.join(root, 'usr/lib/modules', release)
  return { release, image: path.join(root, 'vmlinuz'), modules }
}

/** ext4 from a tar, owners and modes kept, without root; no journal: no guest's disk outlives the guest. */
const makeDisk = async (tools: string, tar: string, disk: string, signal?: AbortSignal): Promise<void> => {
  const args = ['-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'lazy_itable_init=1', '-d', tar, disk, `${DISK_MIB}M`]
  await runTool(tools, 'usr/sbin/mke2fs', args, { signal })
}

const describe = async (key: string): Promise<EngineBuild> => {
  const dir = entryDir('engines', key)
  const lock = readLock()
  const versions = {
    qemu: lockedVersion(lock, 'tools', 'qemu-system-x86') ?? '',
    passt: lockedVersion(lock, 'tools', 'passt') ?? '',
    docker: lockedVersion(lock, 'guest', 'docker.io') ?? '',
    crun: lockedVersion(lock, 'guest', 'crun') ?? '',
    keepalived: lockedVersion(lock, 'image', 'keepalived') ?? '',
    ipvsadm: lockedVersion(lock, 'image', 'ipvsadm') ?? '',
    kernel: lock.sets.kernel[0]?.version ?? '',
  }
  return {
    key,
    id: await readFile(path.join(dir, 'id'), 'utf8'),
    dir,
    tools: path.join(dir, 'tools'),
    kernel: path.join(dir, 'kernel/vmlinuz'),
    kernelRelease: (await readFile(path.join(dir, 'kernel/release'), 'utf8')).trim(),
    initramfs: path.join(dir, 'initramfs'),
    trialInitramfs: path.join(dir, 'trial-initramfs'),
    disk: path.join(dir, 'disk.raw'),
    baseImage: path.join(dir, 'base-image.tar'),
    clientCertificates: path.join(dir, 'tls/client'),
    versions,
  }
}
