import { readFileSync } from 'node:fs'
import path from 'node:path'

/** Folder of the role images; the package list of the base image stands there for both ways to build it. */
export const IMAGES_DIR = path.resolve(import.meta.dirname, '../../../images')

/** The lock: every package, with version and SHA-256, that goes into the engine and into the base image. */
export const LOCK_FILE = path.join(import.meta.dirname, 'lock.json')

export interface PackageSet {
  /** Suites that apt may take packages from, besides trixie itself. */
  target?: string
  /** Whether packages marked Essential belong to it: a root filesystem, not just files. */
  essential: boolean
  packages: string[]
  /** Keep the packages of this name only, not what they depend on: they are unpacked, not installed. */
  only?: RegExp
}

const basePackages = readFileSync(path.join(IMAGES_DIR, 'base/packages.txt'), 'utf8').trim().split(/\s+/)

/**
 * What the engine is made of.
 *
 * - `tools` run on the host: QEMU 11 needs about half the time of trixie's QEMU 10 under software emulation and brings
 *   `-run-with`; trixie's passt dies when a connection arrives before the guest is up.
 * - `kernel` is unpacked, never installed: its maintainer script would build an initrd that nobody boots.
 * - `guest` is the root filesystem of the virtual machine.
 * - `image` is the root filesystem of the base image.
 */
export const PACKAGE_SETS = {
  tools: {
    target: 'trixie-backports',
    essential: false,
    packages: [
      'qemu-system-x86',
      'passt',
      'e2fsprogs',
      'libarchive13t64',
      'busybox-static',
      'openssl',
      'dmsetup',
      'kmod',
      'zstd',
    ],
  },
  kernel: { essential: false, packages: ['linux-image-cloud-amd64'], only: /^linux-image-\d/ },
  guest: {
    essential: true,
    packages: ['docker.io', 'crun', 'iproute2', 'iptables', 'kmod', 'mount', 'procps', 'psmisc'],
  },
  image: { essential: true, packages: basePackages },
} satisfies Record<string, PackageSet>

export type SetName = keyof typeof PACKAGE_SETS

export interface LockedPackage {
  name: string
  version: string
  /** Path below the archive: `debian/pool/main/k/keepalived/keepalived_2.3.3-1_amd64.deb`. */
  file: string
  sha256: string
  /** bytes */
  size: number
}

export interface Lock {
  comment: string
  /** Day on which the versions were current: the snapshot archive holds all of them as of that day. */
  snapshot: string
  suites: string[]
  sets: Record<SetName, LockedPackage[]>
}

/** Reads the lock that the repository carries. */
export const readLock = (): Lock => JSON.parse(readFileSync(LOCK_FILE, 'utf8')) as Lock

/** Version of a package in a set of the lock. */
export const lockedVersion = (lock: Lock, set: SetName, name: string): string | undefined =>
  lock.sets[set].find(p => p.name === name)?.version
