import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { deriveTopology } from './derive.ts'
import { withScripts } from './scripts.ts'
import { instance, read } from './testing.ts'

const given = mkdtempSync(path.join(os.tmpdir(), 'lvslab-derive-scripts-'))
mkdirSync(path.join(given, 'here'))
writeFileSync(path.join(given, 'here/check.sh'), '', { mode: 0o755 })
writeFileSync(path.join(given, 'here/plain.sh'), '', { mode: 0o644 })
mkdirSync(path.join(given, 'usr/sbin'), { recursive: true })
writeFileSync(path.join(given, 'usr/sbin/own-proxy'), '')
afterAll(() => rmSync(given, { recursive: true }))

/** The director of a configuration that tracks one script, and what is said of it; it brings /etc/keepalived/here/check.sh. */
const derived = (command: string, weight = '') => {
  const script = `vrrp_script chk {\n script "${command}"\n}`
  const configs = [read('d1', `${script}${instance({ more: `track_script {\n chk ${weight}\n }` })}`)]
  const brought = [{ node: 'd1', from: { '/etc/keepalived': given, '/usr': path.join(given, 'usr') } }]
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

it('one that a sync group looks for has one too', () => {
  const text = `vrrp_script chk {\n script "pgrep haproxy"\n}${instance()}
    vrrp_sync_group G {\n group {\n VI_eth0\n }\n track_script {\n chk weight -60\n }\n}`
  const configs = [read('d1', text)]
  const { nodes } = withScripts(deriveTopology('pair', configs), configs, [])
  expect(nodes.find(node => node.name === 'd1')?.processes).toEqual(['haproxy'])
})

it('one that every director runs has none', () => {
  expect(derived('/usr/bin/pgrep nginx')).toEqual({ processes: undefined, files: {}, said: [] })
})

it('one that another may not be called like is a question', () => {
  expect(derived('/usr/bin/pidof ldirectord').said).toEqual([
    'd1: vrrp_script chk runs /usr/bin/pidof ldirectord: what it looks for must be in the folder of d1, or the VIP may not come up',
  ])
})

it("the director's own program is not hidden by a stand-in", () => {
  expect(derived('pidof own-proxy')).toEqual({
    processes: undefined,
    files: {},
    said: ['d1: vrrp_script chk looks for a process own-proxy: etc/rc.local of d1 must start the one in its folder'],
  })
})

it('a script that keepalived does not track, as it is not executable, is said', () => {
  expect(derived('/etc/keepalived/here/plain.sh').said).toEqual([
    'd1: vrrp_script chk runs /etc/keepalived/here/plain.sh, which is not executable: keepalived does not track it before chmod +x',
  ])
  expect(derived('/bin/sh /etc/keepalived/here/plain.sh').said).toEqual([])
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

it('what is tracked with reverse is to fail while nothing is wrong', () => {
  expect(derived('pidof maintenance', 'weight -20 reverse')).toEqual({
    processes: undefined,
    files: {},
    said: ['d1: vrrp_script chk looks for a process maintenance, with reverse: none is there'],
  })
  expect(derived('/etc/keepalived/check.sh', 'weight 0 reverse').files?.['/etc/keepalived/check.sh']).toMatch(
    /always fails\.\nexit 1\n$/,
  )
})

it('that one with a weight fails is a priority of its own', () => {
  expect(derived('/usr/bin/curl -sf http://127.0.0.1/', 'weight -20').said[0]).toMatch(
    /in the folder of d1, or the priority is not the planned one \(weight -20\)$/,
  )
})

it('a process that track_process looks for with arguments is a question', () => {
  const defined = 'vrrp_track_process proxy {\n process "/usr/sbin/haproxy" -f /etc/haproxy.cfg\n}\n'
  const configs = [read('d1', `${defined}${instance({ more: 'track_process {\n proxy\n }' })}`)]
  const { nodes } = withScripts(deriveTopology('pair', configs), configs, [])
  expect(nodes.find(node => node.name === 'd1')?.processes).toBeUndefined()
})

it('a process that track_process looks for has a stand-in, and a file is a question', () => {
  const defined = 'vrrp_track_process proxy {\n process haproxy\n}\nvrrp_track_file down {\n file /run/down\n}\n'
  const tracked = instance({ more: 'track_process {\n proxy\n }\n track_file {\n down\n }' })
  const configs = [read('d1', `${defined}${tracked}`)]
  const { nodes, questions } = withScripts(deriveTopology('pair', configs), configs, [])
  expect(nodes.find(node => node.name === 'd1')?.processes).toEqual(['haproxy'])
  expect(questions.filter(one => one.includes('track_')).toSorted()).toEqual([
    'd1: track_file down looks at /run/down: what it looks for must be in the folder of d1, or the priority is not the planned one (weight 1)',
    'd1: track_process proxy looks for a process haproxy: one that does nothing stands for it',
  ])
})
