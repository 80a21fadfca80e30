import { expect, it } from 'vitest'
import { readInputs } from './input.ts'
import { lint } from './lint.ts'
import { explain, formatFindings, formatFindingsAsJson, formatSarif, listRules } from './output.ts'
import { RULES, ruleOf } from './rules/registry.ts'
import { folderWith, instance } from './testing.ts'

const results = (text: string) => readInputs([folderWith({ 'a b.conf': text })]).map(lint)

it('prints findings as compilers do, with remedies and a count', () => {
  const lines = formatFindings(results(instance('  state BAKCUP'))).split('\n')
  expect(lines[0]).toMatch(/\/a b\.conf:8:3: error: state BAKCUP is neither .* \[state-unknown\]$/)
  expect(lines.slice(1)).toEqual([
    '  remedy: Write state MASTER or state BACKUP.',
    '1 error, 0 warnings, 0 info in 1 file of 1 director',
    '',
  ])
})

it('lets no text of a configuration steer the terminal', () => {
  const text = formatFindings(results('\u001b[31mvrrp_instance\u001b[0m x\n'))
  expect(text).not.toContain('\u001b')
  expect(text).toContain('\u241b[31mvrrp_instance')
})

it('prints SARIF that names rule, level, place and the other side', () => {
  const folder = folderWith({ 'a.conf': instance(), 'b.conf': instance() })
  const log = JSON.parse(formatSarif(readInputs([folder]).map(lint), '1.2.3')) as {
    version: string
    runs: {
      tool: { driver: { name: string; semanticVersion: string; rules: { id: string }[] } }
      results: { ruleId: string; ruleIndex: number; level: string; relatedLocations: unknown[] }[]
    }[]
  }
  const [run] = log.runs
  expect(log.version).toBe('2.1.0')
  expect(run?.tool.driver).toMatchObject({ name: 'lvslab', semanticVersion: '1.2.3' })
  expect(run?.tool.driver.rules.map(rule => rule.id)).toEqual(RULES.map(rule => rule.code))
  expect(run?.results).toMatchObject([
    {
      ruleId: 'priority-equal',
      ruleIndex: RULES.findIndex(rule => rule.code === 'priority-equal'),
      level: 'warning',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: expect.stringMatching(/^file:\/\/\/.*b\.conf$/) },
            region: { startLine: 4, startColumn: 3 },
          },
        },
      ],
      relatedLocations: [{ physicalLocation: { region: { startLine: 4 } } }],
    },
  ])
})

it('names files below the working folder as GitHub wants them', () => {
  const text = formatSarif(
    readInputs(['topologies/keepalived-checkers']).map(input => lint({ ...input, maxDetectionMs: 1 })),
    '1',
  )
  expect(text).toContain('"uri": "topologies/keepalived-checkers/d1/etc/keepalived/')
  expect(text).toContain('"uriBaseId": "%SRCROOT%"')
})

it('prints JSON with the directors that keepalived would refuse', () => {
  expect(JSON.parse(formatFindingsAsJson(results(instance('  state BAKCUP'))))).toMatchObject({
    groups: [
      { directors: ['a b'], rejected: ['a b'], findings: [{ code: 'state-unknown', at: { line: 8, column: 3 } }] },
    ],
  })
})

it('has a page for each rule', () => {
  expect(listRules().trimEnd().split('\n')).toHaveLength(RULES.length)
  for (const rule of RULES) expect(explain(rule)).toContain(`disable-next-line ${rule.code}`)
  expect(() => ruleOf('state-unkown')).toThrow('did you mean "state-unknown"?')
  // a hundred codes are no answer to a word that is like none of them
  expect(() => ruleOf('foo')).toThrow(
    expect.objectContaining({
      message: 'there is no rule foo',
      remedy: expect.stringContaining('lvslab lint --rules'),
    }),
  )
})
