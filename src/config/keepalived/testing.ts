import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach } from 'vitest'
import type { LvslabError } from '../../errors.ts'
import type { DirectorConfig } from '../../model/types.ts'
import { readDirector } from './director.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

/** A director's files, gone after the test. */
export const rootWith = (files: Record<string, string>): string => {
  const root = mkdtempSync(join(tmpdir(), 'lvslab-config-'))
  roots.push(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

/** Where keepalived looks for its configuration. */
export const MAIN = 'etc/keepalived/keepalived.conf'

/** Reads a configuration, with further files by their paths on the director. */
export const read = (text: string, others: Record<string, string> = {}): DirectorConfig =>
  readDirector({ node: 'd1', root: rootWith({ [MAIN]: text, ...others }) })

/** The error that reading ends with. */
export const failure = (run: () => unknown): LvslabError => {
  try {
    run()
  } catch (error) {
    return error as LvslabError
  }
  throw new Error('it was read without an error')
}

/** What is said of lines, with their numbers. */
export const messages = (config: DirectorConfig): string[] =>
  config.notices.map(notice => `${notice.at.line}: ${notice.message}`)

export const vrrp = (lines: string) => `vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n${lines}\n}`

/** An instance with these lines, and what is said of them; the first is line 4. */
export const instance = (lines: string, globals = '') => {
  const config = read(`${vrrp(lines)}\n${globals}`)
  return { ...config.instances[0], notices: messages(config) }
}

/** A service with these lines, and what is said of them; the first is line 5. */
export const service = (lines: string, head = '10.0.0.100 80') => {
  const config = read(`virtual_server ${head} {\n protocol TCP\n lvs_method DR\n lvs_sched rr\n${lines}\n}`)
  return { service: config.services[0], notices: messages(config) }
}
