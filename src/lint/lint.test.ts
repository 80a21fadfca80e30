import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { readInputs } from './input.ts'
import { lint } from './lint.ts'
import { findingsIn, folderWith, instance, placesOf, service, TOPOLOGY } from './testing.ts'

const messageOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return (error as Error).message
  }
  return ''
}
const ONE_DIRECTOR = `name: test
networks: { lan: { subnet: 10.0.0.0/24 } }
nodes: { d1: { role: director, interfaces: { eth0: { network: lan, address: 10.0.0.2 } } } }
`
const directorsOf = (...paths: string[]) =>
  readInputs(paths).map(input => input.directors.map(director => director.name))

it('takes a folder with a folder for each director, with their own files or as they lie over the root', () => {
  const folder = folderWith({
    'd1/keepalived.conf': 'include /etc/keepalived/conf.d/*.conf\n',
    'd1/conf.d/a.conf': instance('  state BAKCUP'),
    'd2/etc/keepalived/keepalived.conf': 'include /etc/keepalived/conf.d/*.conf\n',
    'd2/etc/keepalived/conf.d/a.conf': instance('  state MASTRE', { priority: 90 }),
    'notes/README': '',
  })
  const [input] = readInputs([folder])
  expect(input?.directors.map(director => director.name)).toEqual(['d1', 'd2'])
  expect(input && lint(input).findings.map(one => one.code)).toEqual(['state-unknown', 'state-unknown'])
})

it('takes a folder with a file for each director, single files, and the folder of one director', () => {
  const folder = folderWith({ 'a.conf': instance(), 'b.conf': instance(), 'd3/keepalived.conf': instance() })
  expect(directorsOf(join(folder, 'd3'))).toEqual([['d3']])
  expect(directorsOf(join(folder, 'a.conf'), join(folder, 'd3/keepalived.conf'))).toEqual([['a', 'd3']])
  const files = folderWith({ 'a.conf': instance(), 'b.conf': instance() })
  expect(directorsOf(files)).toEqual([['a', 'b']])
})

it('reads the lines of a host (@host) by its name, also where two files are told apart by their folders', () => {
  const text = instance('  @d1 state MASTER')
  const folder = folderWith({ 'old/d1/keepalived.conf': text, 'new/d1/keepalived.conf': text })
  const inputs = readInputs(['old', 'new'].map(age => join(folder, age, 'd1/keepalived.conf')))
  const states = inputs.flatMap(({ directors }) => directors.map(({ config }) => config.instances[0]?.state))
  expect(states).toEqual(['MASTER', 'MASTER'])
})

it('compares files and folders of one director each, and no topologies with each other', () => {
  const [one, two] = [folderWith({ 'x.conf': instance() }), folderWith({ 'y.conf': instance() })]
  const [input, ...more] = readInputs([one, two])
  expect(more).toEqual([])
  expect(input && placesOf(lint(input).findings).map(place => place.split(' ')[1])).toEqual(['priority-equal'])
  expect(directorsOf('topologies/keepalived-dr', 'topologies/nginx-pair')).toEqual([
    ['d1', 'd2'],
    ['d1', 'd2'],
  ])
})

it('says what is wrong with anything else', () => {
  const empty = folderWith({ 'README.md': '' })
  expect(messageOf(() => readInputs([join(empty, 'none')]))).toContain('does not exist')
  expect(messageOf(() => readInputs([empty]))).toContain('holds no configuration of a director')
  const bare = folderWith({
    'topology.yaml':
      'name: bare\nnetworks: { lan: { subnet: 10.0.0.0/24 } }\nnodes: { d1: { role: director, interfaces: { eth0: { network: lan, address: 10.0.0.1 } } } }\n',
  })
  expect(messageOf(() => readInputs([bare]))).toContain('no director of bare has etc/keepalived')
  const kinds = folderWith({
    'd1/keepalived.conf': instance(),
    'd2/keepalived.conf': instance(),
    'd3.conf': instance(),
  })
  expect(messageOf(() => readInputs([kinds]))).toContain('has folders of directors (d1) and .conf files (d3.conf)')
  const both = folderWith({ 'keepalived.conf': instance(), 'd2/keepalived.conf': instance() })
  expect(messageOf(() => readInputs([both]))).toContain('and so does its folder d2')
})

it('goes on after an error of the text, and judges what is left', () => {
  const text = `${instance('  state BAKCUP')}}\n${service('  lb_algo xx')}`
  expect(placesOf(findingsIn({ 'a.conf': text }))).toEqual([
    'a.conf:8:3 state-unknown',
    'a.conf:10:1 brace-unbalanced',
    'a.conf:15:3 scheduler-unknown',
  ])
})

it('judges the lines in a misspelled block by the block that was meant', () => {
  const text = service('', 'TCP_CHEKC {\n      conect_timeout 3\n    }')
  expect(findingsIn({ 'a.conf': text }).map(one => [one.code, one.at.line, one.remedy])).toEqual([
    ['check-missing', 6, expect.any(String)],
    ['keyword-unknown', 8, 'did you mean TCP_CHECK?'],
    ['keyword-unknown', 9, 'did you mean connect_timeout?'],
  ])
})

it('never shows a secret, however it was typed', () => {
  const lines = [
    '  authentication {\n    auth_type PASS\n    auth_pass tops3cret99\n  }',
    '  authentication {\n    auth_type PASS\n    auth_pass7ops3cret\n  }',
    '  auth_pass tops3cret',
    '  advert_int tops3cret\n  authentication {\n    auth_type PASS\n    auth_pass tops3cret\n  }',
  ]
  for (const one of lines) {
    const findings = findingsIn({ 'a.conf': instance(one), 'b.conf': instance('', { priority: 90 }) })
    expect(findings).not.toEqual([])
    expect(JSON.stringify(findings)).not.toContain('ops3cret')
  }
})

it('excepts the line after a comment from the rules that it names, and no others', () => {
  const text = (comment: string) => instance(`${comment}\n  state BAKCUP`)
  const codes = (comment: string) => placesOf(findingsIn({ 'a.conf': text(comment) }))
  expect(codes('  # lvslab-disable-next-line state-unknown')).toEqual([])
  expect(codes('  ! because: lvslab-disable-next-line vip-missing, state-unknown')).toEqual([
    'a.conf:8:39 suppression-unused',
  ])
  expect(codes('  # lvslab-disable-next-line state-unkown')).toEqual([
    'a.conf:8:30 suppression-unused',
    'a.conf:9:3 state-unknown',
  ])
  expect(findingsIn({ 'a.conf': text('  # lvslab-disable-next-line state-unkown') })[0]?.message).toBe(
    'there is no rule state-unkown; did you mean "state-unknown"?',
  )
})

it('reads what a stranger may write: deep nesting, long lines, many errors', () => {
  const deep = ['a {\n'.repeat(15_000), 'real_server {\n'.repeat(2000)]
  for (const text of [...deep, `${'x'.repeat(100_000)}\n`, instance('  state XX\n'.repeat(300))])
    expect(findingsIn({ 'a.conf': text })).not.toEqual([])
})

it('says that keepalived does not read a file with an execute bit', () => {
  const folder = folderWith({ 'a.conf': `include b.part\n${instance()}`, 'b.part': '' })
  const places = () => readInputs([join(folder, 'a.conf')]).flatMap(input => placesOf(lint(input).findings))
  expect(places()).toEqual([])
  chmodSync(join(folder, 'b.part'), 0o755)
  expect(places()).toEqual([`${join(folder, 'a.conf')}:1:9 file-executable`])
  chmodSync(join(folder, 'a.conf'), 0o755)
  expect(places()).toContain(`${join(folder, 'a.conf')}:1:1 file-executable`)
})

it('tells of a file that is no text once, and says nothing of its words', () => {
  const places = (text: string) => placesOf(findingsIn({ 'a.conf': text }))
  expect(places('\0\u0001 a\nb\0c {\n'.repeat(1000))).toEqual(['a.conf:1:1 not-text'])
  // one NUL byte may have come into a text
  expect(places(`\0\n${instance('  priorty 1')}`)).toEqual(['a.conf:1:1 not-text', 'a.conf:9:3 keyword-unknown'])
})

it('takes a configuration of which it stops reading for no clean one', () => {
  // a parameter that uses itself soon is too long, which a ~SEQ is as well, after a second
  const found = findingsIn({ 'a.conf': '$A=x$A \n$A' })
  expect(found).toMatchObject([{ code: 'reading-ended', severity: 'error', at: { file: 'a.conf' } }])
})

it('says that it judges nothing where numbers are thrown', () => {
  const found = findingsIn({ 'a.conf': instance().replace('priority 100', 'priority $_RANDOM') })
  expect(found).toMatchObject([{ code: 'reading-ended', severity: 'error', at: { line: 4, column: 12 } }])
})

it('says that keepalived cannot read UTF-16', () => {
  const folder = folderWith({ 'a.conf': '' })
  writeFileSync(join(folder, 'a.conf'), `\ufeff${instance()}`, 'utf16le')
  const [input] = readInputs([folder])
  expect(input && lint(input).findings.map(one => one.code)).toEqual(['encoding'])
})

it('says which directors keepalived would refuse, also where the finding is suppressed', () => {
  const rejected = (text: string) => readInputs([folderWith({ 'a.conf': text })]).flatMap(input => lint(input).rejected)
  expect(rejected(instance('  state BAKCUP'))).toEqual(['a'])
  expect(rejected(instance('  # lvslab-disable-next-line state-unknown\n  state BAKCUP'))).toEqual(['a'])
  expect(rejected(instance('  strict_mode'))).toEqual([])
})

it("tells a line that is too long once, and a director's refusal all the same", () => {
  const folder = folderWith({ 'a.conf': `${instance()}${'x '.repeat(500_000)}\n` })
  const [result] = readInputs([folder]).map(input => lint(input))
  expect(result?.findings.map(({ at, code }) => `${at.line}:${at.column} ${code}`)).toEqual([
    '10:1 keyword-unknown',
    '10:1024 line-long',
  ])
  expect(result?.rejected).toEqual(['a'])
})

it('reads the tables of ipvsadm and ldirectord, in a topology and by themselves', () => {
  const rules = '-A -t 10.0.9.100:80 -s rr\n-a -t 10.0.9.100:80 -r 10.0.9.11 -g\n'
  const folder = folderWith({
    'topology.yaml': ONE_DIRECTOR,
    'd1/etc/ipvsadm.rules': rules,
    'd1/etc/ha.d/ldirectord.cf': 'checkinterval=1\nvirtual=10.0.0.2:80\n\treal=10.0.0.11:80 gate\n\tscheduler=rr\n',
  })
  const findings = readInputs([folder]).flatMap(input => lint(input).findings)
  expect(findings.map(({ at, code }) => `${at.line}:${at.column} ${code}`)).toEqual([
    '2:1 fallback-missing',
    '1:1 vip-not-held',
    '2:1 server-far',
  ])
  const alone = readInputs([join(folder, 'd1/etc/ipvsadm.rules')])
  expect(alone.flatMap(input => lint(input).findings)).toEqual([])
})

it('finds nothing wrong with the topologies that come with lvslab', () => {
  const names = readdirSync('topologies').filter(name => existsSync(join('topologies', name, 'd1/etc')))
  expect(names.length).toBeGreaterThan(15)
  const inputs = readInputs(names.map(name => join('topologies', name)))
  const findings = inputs.flatMap(input => lint(input).findings)
  expect(findings.map(({ at, message }) => `${at.file}:${at.line} ${message}`)).toEqual([])
})

it.each([
  ['d1/etc/keepalivd/keepalived.conf', 'did you mean "keepalived"?'],
  ['rs1/etc/motd', 'is a symbolic link; only regular files'],
])('refuses %s of a topology, which nobody would read', (name, message) => {
  const folder = folderWith({ 'topology.yaml': TOPOLOGY, 'rs1/etc/hosts': '' })
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  if (name.startsWith('rs1')) symlinkSync('/etc/lvslab-is-not-here', join(folder, name))
  expect(() => readInputs([folder])).toThrow(message)
})
