import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A node's own /etc/rc.local; nothing where it is not run, as it is not executable. */
const scriptOf = (root: string): string => {
  const file = join(root, 'etc/rc.local')
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat?.isFile() && (stat.mode & 0o100) !== 0 ? readFileSync(file, 'utf8') : ''
}

/** `ip addr add 10.0.0.100/32 dev lo`; of what else a script does nobody knows what comes of it. */
const ON_LO = /^\s*ip\s+(?:-\S+\s+)*a(?:ddr(?:ess)?)?\s+(?:add|replace)\s+([\d.]+)(?:\/32)?\s+(?:.*\s)?dev\s+lo\b/gm

/** The addresses that a node's own /etc/rc.local puts on lo when the node starts, as far as it can be read. @param root the node's */
export const addressesOfScript = (root: string): string[] =>
  [...scriptOf(root).matchAll(ON_LO)].flatMap(([, address]) => address ?? [])

/** A program that answers on a port: the lab's own echo, or what `lvslab derive` writes for a service that is not httpd's. */
export interface Started {
  program: 'echo' | 'smtp' | 'dns' | 'reply'
  port: number
  byUdpAlone: boolean
}

/** Where {@link Started} is but for the echo. */
export const STUB_FILE = '/usr/local/sbin/stub'

/** RFC 862 */
const ECHO_PORT = 7

const ECHO =
  /^\s*(?:exec\s+)?\/usr\/lib\/lvslab\/(?:echo(?:\s+(\d+)(\s+udp)?)?|service\s+echo\s+start)\s*(?:[#&|;].*)?$/
const STUB = new RegExp(String.raw`^\s*(?:exec\s+)?${STUB_FILE}\s+(smtp|dns|reply)\s+(\d+)\b`)

/** What a node's own /etc/rc.local starts of them when the node starts, up to an `exit`. @param root the node's */
export const startedByScript = (root: string): Started[] => {
  const lines = scriptOf(root).split('\n')
  const end = lines.findIndex(line => /^\s*exit\b/.test(line))
  return lines.slice(0, end < 0 ? undefined : end).flatMap((line): Started[] => {
    const [echo, port = ECHO_PORT, udp] = ECHO.exec(line) ?? []
    if (echo !== undefined) return [{ program: 'echo', port: Number(port), byUdpAlone: udp !== undefined }]
    const [stub, program, its] = STUB.exec(line) ?? []
    if (stub === undefined) return []
    return [{ program: program as Started['program'], port: Number(its), byUdpAlone: program === 'reply' }]
  })
}
