import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { cacheDir } from '../cache.ts'
import { type Finding, firstLine } from '../finding.ts'
import { host } from '../host-command.ts'

const isRoot = (): boolean => process.getuid?.() === 0

/** Switches of the kernel and of distributions that take user namespaces away; undefined where a kernel has none. */
export interface UserNamespaceSwitches {
  /** kernel.apparmor_restrict_unprivileged_userns: Ubuntu 23.10 and later set 1. */
  apparmorRestricts: string | undefined
  /** kernel.unprivileged_userns_clone: Debian's own. */
  clone: string | undefined
  /** user.max_user_namespaces */
  max: string | undefined
}

/**
 * Commands that give user namespaces back, by what took them away. AppArmor's restriction can be lifted for the
 * engine's own programs alone: all of them run through one loader in the cache.
 *
 * @param loader path or glob of that loader
 */
export const userNamespaceRemedy = (switches: UserNamespaceSwitches, loader: string): string => {
  if (switches.apparmorRestricts === '1') {
    const profile = [
      'abi <abi/4.0>,',
      'include <tunables/global>',
      `profile lvslab ${loader} flags=(unconfined) {`,
      '  userns,',
      '}',
    ].join('\\n')
    return [
      'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
      "# or, for lvslab's own programs alone:",
      `printf '${profile}\\n' | sudo tee /etc/apparmor.d/lvslab`,
      'sudo apparmor_parser --replace /etc/apparmor.d/lvslab',
    ].join('\n')
  }
  if (switches.clone === '0') return 'sudo sysctl -w kernel.unprivileged_userns_clone=1'
  if (switches.max === '0') return 'sudo sysctl -w user.max_user_namespaces=15000'
  return '# in a container: start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined'
}

/**
 * Makes a user namespace the way the engine does. passt makes one for itself, as this user or, started by root, as
 * nobody; for a plain user mmdebstrap makes one with the subordinate IDs to install packages in.
 *
 * @param withIds whether to try mmdebstrap's too: it needs what `checkPrograms` and `checkSubordinateIds` look for
 */
export const checkUserNamespace = async (withIds: boolean, signal?: AbortSignal): Promise<Finding> => {
  const what = 'user namespaces'
  const own = ['unshare', '--user', '--map-root-user', 'true']
  // nobody, by number: systems do not agree on its group's name
  const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
  const failed = await failure(isRoot() ? [...asNobody, ...own] : own, signal)
  if (failed !== undefined) {
    const switches = {
      apparmorRestricts: await readSwitch('kernel/apparmor_restrict_unprivileged_userns'),
      clone: await readSwitch('kernel/unprivileged_userns_clone'),
      max: await readSwitch('user/max_user_namespaces'),
    }
    return { what, state: 'missing', detail: failed, remedy: userNamespaceRemedy(switches, toolLoader()) }
  }
  if (isRoot()) return { what, state: 'found', detail: 'passt, as the user nobody, can make one' }
  if (!withIds) return { what, state: 'found', detail: 'this user may make one' }
  const withoutRange = await failure(['mmdebstrap', '--unshare-helper', 'true'], signal)
  if (withoutRange === undefined) return { what, state: 'found', detail: 'this user may make one, with a range of IDs' }
  // newuidmap without its set-user-ID bit or capability cannot hand the range out
  return { what, state: 'missing', detail: withoutRange, remedy: 'sudo apt-get install --reinstall -y uidmap' }
}

const toolLoader = (): string => path.join(cacheDir('engines'), '*/tools/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2')

const failure = async (command: string[], signal?: AbortSignal): Promise<string | undefined> => {
  // from a folder that whoever the command becomes may look into
  const result = await host({ signal, nothrow: true })`cd / && ${command}`
  signal?.throwIfAborted()
  return result.exitCode === 0 ? undefined : `\`${command.join(' ')}\` failed: ${firstLine(result.stderr)}`
}

const readSwitch = (name: string): Promise<string | undefined> =>
  readFile(`/proc/sys/${name}`, 'utf8').then(
    text => text.trim(),
    () => undefined,
  )
