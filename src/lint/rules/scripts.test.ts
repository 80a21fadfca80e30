import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readInputs } from '../input.ts'
import { lint } from '../lint.ts'
import { findingsIn, folderWith, group, instance, placesOf, SECURE, script, TRACKED, twoInstances } from '../testing.ts'

describe('scripts', () => {
  const SCRIPTS = [
    'track-script-unusable',
    'script-unusable',
    'track-script-insecure',
    'script-insecure',
    'script-security',
  ]
  const codes = (text: string, files: Record<string, string> = {}, change: (folder: string) => void = () => {}) => {
    const folder = folderWith({ 'd1/keepalived.conf': text, ...files })
    change(folder)
    const found = readInputs([folder]).map(input => lint(input))
    return {
      codes: found.flatMap(one => one.findings.map(({ code }) => code)).filter(code => SCRIPTS.includes(code)),
      isRejected: found.some(one => one.rejected.length > 0),
    }
  }
  const OWN = script('/etc/keepalived/s/check.run') + instance(TRACKED)
  const FILE = { 'd1/s/check.run': '#!/bin/sh\n' }
  const chmod = (path: string, mode: number) => (folder: string) => chmodSync(join(folder, 'd1', path), mode)
  const insecure = { codes: ['track-script-insecure'], isRejected: true }
  const nothing = { codes: [], isRejected: false }

  it('that others may write are not tracked for root, and neither are those in a folder of theirs', () => {
    expect(codes(OWN, FILE)).toEqual(nothing)
    expect(codes(OWN, FILE, chmod('s/check.run', 0o757))).toEqual(insecure)
    expect(codes(OWN, FILE, chmod('s', 0o777))).toEqual(insecure)
    expect(codes(OWN, FILE, chmod('s', 0o1777))).toEqual(nothing)
    const asNobody = OWN.replace('script "', 'user nobody\n  script "')
    expect(codes(asNobody, FILE, chmod('s/check.run', 0o757))).toEqual(nothing)
  })

  it('may be links, and may not stand in folders that are', () => {
    const linked = (path: string, to: string, more?: (folder: string) => void) =>
      codes(OWN, { 'd1/t/check.run': '#!/bin/sh\n' }, folder => {
        mkdirSync(join(folder, 'd1', dirname(path)), { recursive: true })
        symlinkSync(to, join(folder, 'd1', path))
        more?.(folder)
      })
    expect(linked('s', 't')).toEqual(insecure)
    expect(linked('s/check.run', '../t/check.run')).toEqual(nothing)
    expect(linked('s/check.run', '../t/check.run', chmod('t', 0o777))).toEqual(insecure)
  })

  it('that cannot be run are not tracked, of which the configuration test says nothing', () => {
    expect(codes(OWN, FILE, chmod('s/check.run', 0o644))).toEqual({ codes: ['script-unusable'], isRejected: false })
    expect(codes(OWN, {})).toEqual({ codes: ['track-script-unusable'], isRejected: true })
  })

  it('are looked at where there is an instance, tracked or not', () => {
    const bare = script('/usr/bin/true').replace(SECURE, '')
    expect(codes(bare + instance())).toEqual({ codes: ['script-security'], isRejected: true })
    expect(codes(bare)).toEqual(nothing)
    expect(codes(script('</etc/passwd').replace(SECURE, '') + instance(TRACKED))).toEqual(nothing)
  })
})

describe('reverse', () => {
  const places = (text: string) => findingsIn({ 'a.conf': text }).filter(({ code }) => code === 'script-reverse')
  const reversed = (weight: number) => `  track_script {\n    chk weight ${weight} reverse\n  }`
  const messages = (text: string) => places(text).map(({ message }) => message)

  it.for([
    [-20, 'if it fails then, it counts -20 instead of 20'],
    [20, 'if it succeeds then, it counts 20 instead of -20'],
    [0, 'if it fails then, that is a FAULT'],
  ] as const)('of weight %i is forgotten at a reload: %s', ([weight, what]) => {
    const text = script('/usr/bin/true') + instance(reversed(weight))
    expect(messages(text)).toEqual([`keepalived forgets reverse of chk at a reload: ${what}`])
  })

  it('is told once of all that a group takes along, and not of weights that have no effect', () => {
    const grouped = (lines: string) => twoInstances() + group('VI_1', 'VI_2').replace(/}\n$/, `${lines}\n}\n`)
    expect(messages(script('/usr/bin/true') + grouped(reversed(0)))).toHaveLength(1)
    expect(messages(script('/usr/bin/true') + grouped(reversed(-20)))).toHaveLength(1)
    expect(messages(script('/usr/bin/true') + instance(reversed(-20)) + group('VI_1'))).toEqual([])
    expect(messages(script('/usr/bin/true') + instance(reversed(-20), { priority: 255 }))).toEqual([])
  })
})

describe('a shell', () => {
  const places = (line: string) =>
    placesOf(findingsIn({ 'a.conf': `${SECURE}vrrp_script chk {\n  ${line}\n}\n${instance(TRACKED)}` }), 'script-shell')

  it.for([
    'script "/usr/bin/pgrep haproxy || exit 1"',
    'script "/usr/bin/curl -s http://127.0.0.1/ | grep ok"',
    'script "if [ -f /etc/keepalived/down ]; then exit 1; fi"',
    "script '/usr/bin/killall -0 haproxy 2>/dev/null'",
    'script "/usr/bin/test $(cat /run/a) = 1"',
    String.raw`script "/usr/bin/sh -c \"a && b\""`,
  ])('is missed by %s', line => expect(places(line)).toEqual(['a.conf:6:10 script-shell']))

  it.for([
    'script "/usr/bin/pgrep haproxy"',
    `script "/usr/bin/sh -c 'a || b; c > d'"`,
    `script '/usr/bin/bash -c "a | b"'`,
    `script "/usr/bin/grep -E 'a|b;' /etc/hosts"`,
    'script "/usr/bin/curl http://127.0.0.1/?a=1&b=2" # a || b',
  ])('is not needed by %s', line => expect(places(line)).toEqual([]))
})
