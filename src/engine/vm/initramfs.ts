import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { host } from '../host-command.ts'
import { busybox, toolFiles } from './tools.ts'

const GUEST = path.join(import.meta.dirname, 'guest')

/** What the guest needs before it can see its disk and its network card; everything else stands on the disk. */
const EARLY_MODULES = ['virtio_net', 'nfit', 'nd_pmem', 'dm_snapshot']

/** An unpacked kernel: its image, its modules and their dependencies. */
export interface Kernel {
  release: string
  image: string
  /** Folder that holds `modules.dep`. */
  modules: string
}

/**
 * Modules that `wanted` need, in the order in which they must be loaded, as paths below the modules folder.
 *
 * @param dep text of modules.dep: `a.ko.xz: b.ko.xz c.ko.xz`
 */
export const loadOrder = (dep: string, wanted: string[]): string[] => {
  const dependencies = new Map(
    dep.split('\n').flatMap(line => {
      const [file, rest] = line.split(':')
      return file && rest !== undefined ? [[file, rest.trim().split(' ').filter(Boolean)] as const] : []
    }),
  )
  const nameOf = (file: string): string =>
    path
      .basename(file)
      .replace(/\.ko.*$/, '')
      .replaceAll('-', '_')
  const files = wanted
    .map(name => [...dependencies.keys()].find(file => nameOf(file) === name))
    .filter(f => f !== undefined)
  // modules.dep names all of a module's dependencies, the deepest last
  return [...new Set(files.flatMap(file => [...(dependencies.get(file) ?? []).toReversed(), file]))]
}

/**
 * Writes the initial RAM filesystem: busybox, the early modules, the guest's first programs, and the server's certificates
 * (so the disk holds nothing that is this engine's own).
 *
 * @param trial for a boot that only says that it booted
 */
export const makeInitramfs = async (
  file: string,
  parts: { tools: string; kernel: Kernel; certificates: string; trial: boolean },
): Promise<void> => {
  const root = await mkdtemp(`${file}.part-`)
  try {
    for (const dir of ['bin', 'dev', 'proc', 'modules', 'lvslab/tls', 'lvslab/disk/lib'])
      await mkdir(path.join(root, dir), { recursive: true })
    await copyFile(busybox(parts.tools), path.join(root, 'bin/busybox'))
    await copyFile(path.join(GUEST, 'init'), path.join(root, 'init'))
    for (const name of ['boot', 'crun', 'setkey'])
      await copyFile(path.join(GUEST, name), path.join(root, 'lvslab', name))
    for (const name of ['dmsetup', 'freeze-disk'])
      await copyFile(path.join(GUEST, name), path.join(root, 'lvslab/disk', name))
    for (const file of await toolFiles(parts.tools, 'usr/sbin/dmsetup'))
      await copyFile(file, path.join(root, 'lvslab/disk/lib', path.basename(file)))
    const programs = [
      'init',
      'lvslab/boot',
      'lvslab/crun',
      'lvslab/setkey',
      'lvslab/disk/dmsetup',
      'lvslab/disk/freeze-disk',
    ]
    await host()`chmod 755 ${programs.map(file => path.join(root, file))}`
    const order = loadOrder(await readFile(path.join(parts.kernel.modules, 'modules.dep'), 'utf8'), EARLY_MODULES)
    const names: string[] = []
    for (const module of order) {
      const name = path.basename(module).replace(/\.xz$/, '')
      const from = path.join(parts.kernel.modules, module)
      // busybox's insmod wants them unpacked
      if (module.endsWith('.xz'))
        await host()`${busybox(parts.tools)} unxz -c ${from} > ${path.join(root, 'modules', name)}`
      else await copyFile(from, path.join(root, 'modules', name))
      names.push(name)
    }
    await writeFile(path.join(root, 'modules/order'), `${names.join('\n')}\n`)
    if (parts.trial) await writeFile(path.join(root, 'trial'), '')
    else {
      await copyFile(path.join(parts.certificates, 'client/ca.pem'), path.join(root, 'lvslab/tls/ca.pem'))
      for (const name of ['server-cert.pem', 'server-key.pem'])
        await copyFile(path.join(parts.certificates, 'server', name), path.join(root, 'lvslab/tls', name))
    }
    const cpio = `cd ${root} && find . | ${busybox(parts.tools)} cpio -o -H newc -R 0:0 2>/dev/null | gzip -1 > ${file}`
    await host()`sh -c ${cpio}`
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
