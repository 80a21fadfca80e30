import { expect, it } from 'vitest'
import { type Block, ROOT, wordsOf } from '../keywords.ts'
import { findingsIn, instance } from '../testing.ts'

it('finds a misspelled word in every block', () => {
  const blocks = (of: Block, path: string[]): { path: string[]; word: string }[] => [
    ...wordsOf(of)
      .slice(0, 1)
      .map(word => ({ path, word })),
    ...Object.entries(of.blocks).flatMap(([name, inner]) => blocks(inner, [...path, name])),
  ]
  for (const { path, word } of blocks(ROOT, [])) {
    const text = `${path.map(name => `${name} {\n`).join('')}${word}zz 1\n${'}\n'.repeat(path.length)}`
    expect(findingsIn({ 'a.conf': text })).toContainEqual(
      expect.objectContaining({
        code: 'keyword-unknown',
        at: { file: 'a.conf', line: path.length + 1, column: 1 },
        remedy: `did you mean ${word}?`,
      }),
    )
  }
})

it('tells what is typed for a blank, for a comment and for the end of a line', () => {
  const remedies = (text: string) => findingsIn({ 'a.conf': text }).map(one => [one.code, one.remedy])
  const with_ = (to: string) => instance().replace('priority 100', to)
  expect(remedies(with_('priority=100'))).toEqual([['keyword-joined', 'write: priority 100']])
  expect(remedies(with_('priority: 100'))).toEqual([['keyword-joined', 'write: priority 100']])
  expect(remedies(instance().replace('interface eth0', 'interface = eth0'))).toEqual([
    ['value-second', 'write interface and its value, with a blank between them'],
  ])
  expect(remedies(`// a comment\n${instance()}`)).toEqual([['keyword-unknown', 'a comment begins with # or !']])
  expect(remedies(`$A = 1\n${instance()}`)).toEqual([['keyword-unknown', 'write it without blanks: $A=1']])
  expect(remedies(with_('priority 100 nopreempt'))).toEqual([['value-second', 'begin a new line before it']])
  expect(remedies(instance('', { vip: '10.0.0.100/24 10.0.0.101/24' }))).toEqual([
    ['address-option', 'write it on a line of its own'],
  ])
  expect(remedies(instance('  authentication {\n    auth_type PASS\n    auth_pass 1\n  advert_int 1'))).toContainEqual([
    'keyword-misplaced',
    'it belongs in vrrp_instance: is the } of authentication missing before it?',
  ])
})

it.each(['auth_passsecretA1', 'auth_pass\n secretA1', 'auth_pass "x" secretA1', 'auth_pas secretA1'])(
  'says no password: %j',
  line => {
    const text = instance(`  authentication {\n    auth_type PASS\n    ${line}\n  }`)
    const findings = findingsIn({ 'a.conf': text })
    expect(JSON.stringify(findings)).not.toContain('secretA1')
  },
)
