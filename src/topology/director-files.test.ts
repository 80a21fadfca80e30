import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Program, directorFiles, pathOf } from './director-files.ts'

const folders: string[] = []
afterEach(() => {
  for (const one of folders.splice(0)) rmSync(one, { recursive: true })
})

/** What a folder with these empty files holds, or one of its files: `d1 ldirectord d1/etc/ha.d/ldirectord.cf whole`. */
const found = (files: string[], below = ''): string[] => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-files-'))
  folders.push(dir)
  for (const name of files) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    writeFileSync(path.join(dir, name), '')
  }
  return directorFiles(path.join(dir, below)).map(one => {
    const where = path.relative(dir, pathOf(one))
    return `${one.name} ${one.program} ${where} as ${one.file}${one.whole ? ', with the node' : ''}`
  })
}

describe('a folder beside those of directors', () => {
  it.each([
    ['d2/keepalivd.conf', 'keepalived.conf'],
    ['d2/Keepalived.conf', 'keepalived.conf'],
    ['d2/etc/keepalivd/keepalived.conf', 'keepalived'],
    ['d2/etc/keepalived/keepalive.conf', 'keepalived.conf'],
    ['d2/etc/ha.d/ldirector.cf', 'ldirectord.cf'],
  ])('with %s is a misspelt one', (file, meant) => {
    expect(() => found(['d1/keepalived.conf', file])).toThrow(`; did you mean "${meant}"?`)
  })

  it('may have anything else', () => {
    expect(found(['d1/keepalived.conf', 'docs/readme.txt', 'docs/etc/hosts'])).toHaveLength(1)
  })
})

describe('a file of a director without keepalived', () => {
  it.each([
    ['d1/etc/ipvsadm.rules', 'ipvsadm', '/etc/ipvsadm.rules', true],
    ['d1/etc/sysconfig/ipvsadm', 'ipvsadm', '/etc/sysconfig/ipvsadm', true],
    ['d1/etc/ha.d/ldirectord.cf', 'ldirectord', '/etc/ha.d/ldirectord.cf', true],
    ['d1/etc/ha.d/conf/ldirectord.cf', 'ldirectord', '/etc/ha.d/conf/ldirectord.cf', true],
    ['d1/ipvsadm.rules', 'ipvsadm', '/etc/ipvsadm.rules', false],
    ['d1/ipvsadm', 'ipvsadm', '/etc/sysconfig/ipvsadm', false],
    ['d1/ldirectord.cf', 'ldirectord', '/etc/ha.d/ldirectord.cf', false],
  ])('is known by its name: %s', (file, program, place, whole) => {
    const expected = [`d1 ${program} ${file} as ${place}${whole ? ', with the node' : ''}`]
    expect(found([file])).toEqual(expected)
    expect(found([file], 'd1')).toEqual(expected)
    expect(found([file], file)).toEqual(expected)
  })

  it.each<[string, string, Program]>([
    ['nat.rules', '-A -t 10.0.0.1:80 -s rr\n', 'ipvsadm'],
    ['nat.sh', '#!/bin/sh\n/sbin/ipvsadm -A -t 10.0.0.1:80\n', 'ipvsadm'],
    ['web.cf', '# of the web servers\nchecktimeout=3\n', 'ldirectord'],
    ['web.conf', '! of the web servers\nglobal_defs {\n}\n', 'keepalived'],
    ['empty.conf', '', 'keepalived'],
  ])('is known by what it says where it has another name: %s', (name, text, program) => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-files-'))
    folders.push(dir)
    writeFileSync(path.join(dir, name), text)
    const [one] = directorFiles(path.join(dir, name))
    expect(one).toMatchObject({ program, name: name.replace(/\..*/, '') })
    expect(one && pathOf(one)).toBe(path.join(dir, name))
  })

  it('comes after keepalived.conf of the same director', () => {
    expect(found(['d1/ipvsadm.rules', 'd1/ldirectord.cf', 'd1/keepalived.conf']).map(one => one.split(' ')[1])).toEqual(
      ['keepalived', 'ldirectord', 'ipvsadm'],
    )
  })

  it('stands beside the .conf files of other directors', () => {
    expect(found(['a.conf', 'ipvsadm.rules']).map(one => one.split(' ')[1])).toEqual(['keepalived', 'ipvsadm'])
  })

  it('is no folder of that name', () => {
    expect(() => found(['ipvsadm/README'])).toThrow('holds no configuration of a director')
  })
})
