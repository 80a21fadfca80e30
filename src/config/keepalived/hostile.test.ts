import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { LvslabError } from '../../errors.ts'
import type { DirectorConfig } from '../../model/types.ts'
import { readDirector } from './director.ts'
import { resolveInclude } from './include.ts'
import { parse } from './parse.ts'
import { tokenize } from './tokenize.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})
const FOLDER = 'etc/keepalived'
const rootWith = (files: Record<string, string | Buffer>): string => {
  const root = mkdtempSync(join(tmpdir(), 'lvslab-hostile-'))
  roots.push(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, FOLDER, name)), { recursive: true })
    writeFileSync(join(root, FOLDER, name), text)
  }
  return root
}
const read = (text: string | Buffer, others: Record<string, string> = {}): DirectorConfig =>
  readDirector({ node: 'd1', root: rootWith({ 'keepalived.conf': text, ...others }) })
const failure = (run: () => unknown): LvslabError => {
  try {
    run()
  } catch (error) {
    return error as LvslabError
  }
  throw new Error('it was read without an error')
}
const INSTANCE = 'vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n}\n'

describe('encodings', () => {
  it('other than UTF-8 are refused, or read byte by byte and told', () => {
    for (const utf16 of [
      Buffer.from(`\uFEFF${INSTANCE}`, 'utf16le'),
      Buffer.from(`\uFEFF${INSTANCE}`, 'utf16le').swap16(),
    ])
      expect(failure(() => read(utf16))).toMatchObject({ code: 'CONFIG_ENCODING', exitCode: 2, at: { line: 1 } })
    expect(failure(() => read(Buffer.from(INSTANCE, 'utf16le'))).code).toBe('CONFIG_BINARY')
    const latin = read(Buffer.from(INSTANCE.replaceAll('VI_1', 'Zürich'), 'latin1'))
    expect(latin.instances[0]?.name).toBe('Zürich')
    expect(latin.notices.map(notice => notice.message)).toEqual([
      'the file is not UTF-8; its bytes are read as Latin-1',
    ])
  })

  it('with a byte order mark lose their first word, as with keepalived', () => {
    const { instances, notices } = read(`\uFEFF${INSTANCE}`)
    expect(instances).toEqual([])
    expect(notices.map(notice => notice.message)).toEqual([
      'the file starts with a byte order mark; keepalived takes it for a part of the first word',
      '\uFEFFvrrp_instance stands outside of every block; keepalived ignores it',
    ])
  })
})

describe('size and depth', () => {
  it('of blocks in blocks are no matter', () => {
    const deep = 5_000
    expect(parse(tokenize(`${'a {\n'.repeat(deep)}${'}\n'.repeat(deep)}`, 'k.conf'))).toHaveLength(1)
    expect(failure(() => parse(tokenize('a{'.repeat(deep), 'k.conf'))).code).toBe('CONFIG_UNBALANCED')
  })

  it('of a line are cut as keepalived cuts it, between the letters of UTF-8', () => {
    const words = (text: string): number[] =>
      parse(tokenize(text, 'k.conf')).map(statement => Buffer.byteLength(statement.words[0].text))
    expect(words('x'.repeat(1023))).toEqual([1023])
    expect(words(`${'x'.repeat(1024)}\ny`)).toEqual([1023, 1, 1])
    expect(words('€'.repeat(400))).toEqual([1023, 177])
    const { notices } = read(`# ${'x'.repeat(2000)}\n${INSTANCE}`)
    expect(notices.map(({ at, message }) => `${at.line}:${at.column} ${message}`)).toEqual([
      '1:1024 the line is longer than 1023 bytes; keepalived takes what follows from here on for another line',
      `1:1024 ${'x'.repeat(979)} stands outside of every block; keepalived ignores it`,
    ])
  })

  it('of what parameters make stay below a limit', () => {
    const text = `$A=${'x'.repeat(1000)}\n${'$A\n'.repeat(10_000)}`
    expect(failure(() => tokenize(text, 'k.conf'))).toMatchObject({ code: 'CONFIG_EXPANSION', exitCode: 2 })
  })

  it('of groups stay below a limit, with a notice', () => {
    const group = `virtual_server_group G {\n${'10.0.0.0-255 80\n'.repeat(4)}}\n`
    const service = 'virtual_server group G {\n protocol TCP\n real_server 10.0.0.1 80 {\n }\n}\n'
    const { services, notices } = read(group + service.repeat(60))
    expect(services.filter(one => one.address !== undefined)).toHaveLength(48 * 1024)
    expect(services.filter(one => one.name === 'group G')).toHaveLength(12)
    expect(notices.filter(notice => notice.message.includes('are not predicted'))).toHaveLength(12)
  })
})

describe('includes', () => {
  it('do not multiply without an end', () => {
    expect(failure(() => read(`include ${'{a,b}'.repeat(40)}`)).code).toBe('CONFIG_TOO_LARGE')
    const files = Object.fromEntries(
      'abcdefghijklm'.split('').map(name => [name, `include ${nextLetter(name)}\n`.repeat(4)]),
    )
    expect(failure(() => read('include a', { ...files, n: '' })).code).toBe('CONFIG_TOO_LARGE')
  })

  it('follow no links in a circle', () => {
    const root = rootWith({
      'keepalived.conf': 'include */*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/x',
      'one/x': '',
      'two/x': '',
    })
    symlinkSync('.', join(root, FOLDER, 'self'))
    symlinkSync('.', join(root, FOLDER, 'again'))
    symlinkSync('loop', join(root, FOLDER, 'loop'))
    expect(failure(() => readDirector({ node: 'd1', root })).code).toBe('CONFIG_TOO_LARGE')
  })

  it('take names that no file can have for none', () => {
    expect(read(`include ${'x'.repeat(600)}`).notices[0]?.message).toContain('matches no file')
    expect(read('include loop/x').notices[0]?.message).toContain('matches no file')
  })

  it('may start within a block and end outside of it, as keepalived reads lines only', () => {
    const text = 'vrrp_instance VI_1 {\n include rest.conf\n'
    const { instances } = read(text, { 'rest.conf': 'interface eth0\nvirtual_router_id 7\n}\nglobal_defs {\n}\n' })
    expect(instances).toMatchObject([{ name: 'VI_1', virtualRouterId: 7 }])
  })

  it.for([
    ['include none*', undefined],
    ['includer none', undefined],
    ['includem none*', undefined],
    ['includem none', 'CONFIG_REFUSED'],
    ['includeb {none,nothing}', 'CONFIG_REFUSED'],
    ['includew none*', 'CONFIG_REFUSED'],
    ['includea none', 'CONFIG_REFUSED'],
  ])('are missed as much as keepalived misses them: %s', ([line = '', code]) => {
    if (code === undefined) expect(read(line).notices).toHaveLength(1)
    else expect(failure(() => read(line))).toMatchObject({ code, exitCode: 2, at: { line: 1, column: 10 } })
  })

  it('tell what keepalived reads twice', () => {
    const { notices, instances } = read('@d1 include a.conf', { 'a.conf': INSTANCE })
    expect(instances).toHaveLength(1)
    expect(notices.map(notice => notice.message)).toEqual([
      'keepalived reads what this line includes twice, as it does not begin with include',
    ])
  })

  it.for([
    ['a*c', ['abc', 'ac', 'a.c']],
    ['?.c', ['a.c', 'é.c']],
    ['[ab]*', ['a.c', 'abc', 'ac', 'b']],
    ['[!a]*', ['b', 'é.c']],
    ['[a-b]', ['b']],
    ['.*', ['.hidden']],
    ['*', ['a.c', 'abc', 'ac', 'b', 'é.c']],
    ['{b,a*c}', ['b', 'a.c', 'abc', 'ac']],
    ['*a*a*a*a*a*a*a*b', []],
  ] as const)('match %s as glob(3) does', ([pattern, names]) => {
    const files = { 'a.c': '', abc: '', ac: '', b: '', 'é.c': '', '.hidden': '', 'keepalived.conf': '' }
    const root = rootWith(files)
    const found = resolveInclude(
      pattern,
      join(root, FOLDER, 'keepalived.conf'),
      { root, mount: '/' },
      { file: '', line: 1, column: 1 },
    )
    const expected: string[] = [...names]
    expect(found.map(file => file.split('/').at(-1)).filter(name => name !== 'keepalived.conf')).toEqual(
      pattern === '{b,a*c}' ? expected : expected.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    )
  })
})

const nextLetter = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) + 1)

it('ends on any text, with a configuration or an error of its own', () => {
  const words =
    '{ } " # ! \\ \\\n \n \0 $A=x\n $A=$A\n $A ${A} ~SEQ(A,1,3) ~LST(A,b,c) @d1 @^d1 include virtual_server vrrp_instance'
  const more =
    'group G 10.0.0.1 80 fwmark 5 real_server HTTP_GET url track_file interface eth0 virtual_router_id weight -1 1e9'
  const unit = fc.constantFrom(...words.split(' '), ...more.split(' '), ' ', '\n')
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 40 }), parts => {
      try {
        read(parts.join(' '))
      } catch (error) {
        expect((error as LvslabError).code).toMatch(/^CONFIG_/)
      }
    }),
  )
})
