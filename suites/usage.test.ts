import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { changedTopology, lvslab, temporaryDir } from './command-line.ts'

/** What is used wrongly is refused with exit code 2, before an engine is started, and leaves nothing behind. */
describe('wrong use', () => {
  test.for<[string, string]>([
    ['judge reports/a reports/b', '"reports/b" is one argument too many: this verb takes RUN alone'],
    ['status d1', '"d1" is one argument too many: this verb takes none'],
    ['verify topologies/keepalived-dr --reports', '--reports needs a value'],
    ['verify topologies/keepalived-dr --clock --json', '--clock needs a value'],
    ['judge --report x', 'no option --report; did you mean "reports"?'],
    [
      'verify topologies/keepalived-dr --only failovr',
      '--only failovr fits the name of no check; did you mean "failover"?',
    ],
    ['plan topologies/keepalived-dr --skip sorry,', '--skip "sorry,": names of checks, with a comma between two'],
    ['verify topologies/keepalived-dr --budget 2', '--budget 2: a number above 0 with ms, s, m or h'],
    ['verify topologies/keepalived-dr --keepalived 2.9', '--keepalived 2.9: 2.2 or 2.3'],
    ['plan topologies/keepalived-dr --max-gap 3', '--max-gap 3: a number above 0 with ms, s, m or h'],
    ['plan topologies/keepalived-dr --max-gap -1s', '--max-gap -1s: a number above 0 with ms, s, m or h'],
    ['verify topologies/keepalived-dr --only a --only b', '--only is given twice'],
    ['lint', 'lint needs a file or a folder'],
    ['lint --fail-on never topologies/keepalived-dr', '--fail-on never: error or warning'],
    ['lint --max-detection 10 topologies/keepalived-dr', '--max-detection 10: a number above 0 with ms, s, m or h'],
    ['lint topologies/keepalived-dr nosuch', 'nosuch does not exist'],
    ['graph --svg --mermaid topologies/keepalived-dr', '--svg and --mermaid: one of them'],
    ['lint images', 'images holds no configuration of a director'],
    ['plan images', 'images holds no configuration of a director'],
    ['test --unit --name (', '--name ( is no regular expression'],
    ['verify topologies/keepalived-dr --engine podman', '--engine podman: vm or docker'],
    ['plan topologies/keepalived-dr --skp sorry', 'remedy: lvslab plan --help'],
    ['judge', 'remedy: lvslab judge --help'],
    ['engine', 'remedy: lvslab engine --help'],
    ['lint --explain state-unkown', 'there is no rule state-unkown; did you mean "state-unknown"?'],
  ])('lvslab %s', async ([words, message]) => {
    const { code, stdout, stderr } = await lvslab(words.split(' '))
    expect({ code, stdout, stderr }).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
    expect(stderr).not.toContain('Boot')
  })

  test('a path that leads nowhere is told in a line, without a stack', async () => {
    const loop = path.join(await temporaryDir(), 'loop')
    await symlink('loop', loop)
    for (const verb of ['lint', 'plan']) {
      const { code, stderr } = await lvslab([verb, loop])
      expect(code, stderr).toBe(2)
      expect(stderr).toMatch(/^error: ELOOP: [^\n]+ \[FILE_UNREADABLE\]\nremedy: [^\n]+\n$/)
    }
  })

  test('lvslab up reads the configuration before it builds an engine', async () => {
    const dir = await changedTopology('topologies/keepalived-dr', 'd1/etc/keepalived/conf.d/vip_nginx.conf', text =>
      text.replace('virtual_ipaddress {', 'virtual_ipaddress'),
    )
    const cache = await temporaryDir()
    const { code, stderr } = await lvslab(['up', dir], { LVSLAB_CACHE: cache })
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('vip_nginx.conf:') })
    expect(await readdir(cache)).toEqual([])
  })

  test('a configuration that is named twice is read once', async () => {
    const dir = 'topologies/keepalived-dr'
    expect((await lvslab(['lint', dir, `${dir}/`])).stdout).toBe((await lvslab(['lint', dir])).stdout)
  })

  test('lvslab test of no file leaves no folder of a run', async () => {
    const reports = await temporaryDir()
    const { code, stderr } = await lvslab(['test', 'nosuch', '--reports', reports])
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('no test file has nosuch') })
    expect(await readdir(reports)).toEqual([])
  })
})

describe('lvslab lint', () => {
  const code = async (...words: string[]) => (await lvslab(['lint', ...words])).code

  test('ends with 1 where it finds what --fail-on asks for', async () => {
    const file = path.join(await temporaryDir(), 'a.conf')
    await writeFile(file, 'vrrp_sync_group G {\n  group {\n    VI_1\n  }\n}\n')
    expect(await code(file)).toBe(1)
    await writeFile(
      file,
      'virtual_server 10.0.0.1 80 {\n  lvs_sched rr\n  lvs_method NAT\n  real_server 10.0.0.2 80 {\n  }\n}\n',
    )
    expect(await code(file)).toBe(0)
    expect(await code(file, '--fail-on', 'warning')).toBe(1)
  })

  test('prints what can be read by a program, and nothing else, on standard output', async () => {
    for (const option of ['--json', '--sarif']) {
      const {
        code: ended,
        stdout,
        stderr,
      } = await lvslab(['lint', 'topologies/keepalived-dr', 'topologies/nginx-pair', option])
      expect({ ended, stderr }).toEqual({ ended: 0, stderr: '' })
      expect(JSON.parse(stdout)).toBeTypeOf('object')
    }
  })
})

describe('lvslab judge of a folder that is damaged', () => {
  const checks = JSON.stringify({ format: 1, checks: [] })
  test.for<[what: string, files: Record<string, string | undefined>, message: string]>([
    ['a run.json that ends early', { 'run.json': '{\n"format": 1,' }, 'run.json:2:'],
    ['a run.json of nothing', { 'run.json': '{"format": 1}' }, 'run.json cannot be used: '],
    ['a run.json that cannot be read', { 'run.json': undefined }, 'run.json cannot be used: EISDIR'],
    ['a checks.json of nothing', { 'checks.json': '[]' }, 'checks.json cannot be used: '],
    ['a journal that was edited', { 'journal.ndjson': 'x\n' }, 'journal.ndjson:1:1 not a journal line'],
  ])('%s', async ([, files, message]) => {
    const dir = await temporaryDir()
    for (const [name, text] of Object.entries({ 'checks.json': checks, 'journal.ndjson': '', ...files })) {
      if (text === undefined) await mkdir(path.join(dir, name))
      else await writeFile(path.join(dir, name), text)
    }
    const { code, stderr } = await lvslab(['judge', dir])
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
    expect(stderr).not.toContain('fault of lvslab')
  })
})
