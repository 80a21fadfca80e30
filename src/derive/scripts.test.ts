import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { deriveTopology } from './derive.ts'
import { withScripts } from './scripts.ts'
import { instance, read } from './testing.ts'

const given = mkdtempSync(path.join(os.tmpdir(), 'lvslab-derive-scripts-'))
mkdirSync(path.join(given, 'here'))
writeFileSync(path.join(given, 'here/check.sh'), '')
afterAll(() => rmSync(given, { recursive: true }))

/** The director of a configuration that tracks one script, and what is said of it; it brings /etc/keepalived/here/check.sh. */
const derived = (command: string) => {
  const script = `vrrp_script chk {\n script "${command}"\n}`
  const configs = [read('d1', `${script}${instance({ more: 'track_script {\n chk\n }' })}`)]
  const brought = [{ node: 'd1', from: { '/etc/keepalived': given } }]
  const { nodes, questions } = withScripts(deriveTopology('pair', configs), configs, brought)
  const { processes, files } = nodes.find(node => node.name === 'd1') ?? {}
  return { processes, files, said: questions.filter(one => one.includes('vrrp_script')) }
}

it('a process that is looked for by its name has a stand-in', () => {
  expect(derived('killall -0 haproxy')).toEqual({
    processes: ['haproxy'],
    files: {},
    said: ['d1: vrrp_script chk looks for a process haproxy: one that does nothing stands for it'],
  })
})

it('one that every director runs has none', () => {
  expect(derived('/usr/bin/pgrep nginx')).toEqual({ processes: undefined, files: {}, said: [] })
})

it('one that another may not be called like is a question', () => {
  expect(derived('/usr/bin/pidof apache2').said).toEqual([
    'd1: vrrp_script chk runs /usr/bin/pidof apache2: what it looks for must be in the folder of d1, or the VIP may not come up',
  ])
})

it('a script that is not given is one that succeeds; one that is, stays', () => {
  const { files, said } = derived('/etc/keepalived/check.sh 80')
  expect(files?.['/etc/keepalived/check.sh']).toMatch(/^#!\/bin\/sh\n[^]*exit 0\n$/)
  expect(said).toEqual([
    'd1: vrrp_script chk runs /etc/keepalived/check.sh, which was not given: one that always succeeds stands for it',
  ])
  expect(derived('/etc/keepalived/here/check.sh')).toEqual({ processes: undefined, files: {}, said: [] })
})

it('what any other looks for is a question', () => {
  expect(derived('/usr/bin/curl -sf http://127.0.0.1/')).toEqual({
    processes: undefined,
    files: {},
    said: [
      'd1: vrrp_script chk runs /usr/bin/curl -sf http://127.0.0.1/: what it looks for must be in the folder of d1, or the VIP may not come up',
    ],
  })
})
