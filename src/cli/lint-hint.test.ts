import { expect, it } from 'vitest'
import { folderWith, service, TOPOLOGY } from '../lint/testing.ts'
import { lintHint } from './lint-hint.ts'

const FILE = 'd1/etc/keepalived/keepalived.conf'

it('counts what lint finds, and names the rules', () => {
  const folder = folderWith({ [FILE]: service('  lvs_sched nosuch', '') })
  expect(lintHint(folder)).toBe(
    `lint finds 1 error, 1 warning in this configuration, which may say why: scheduler-unknown, check-missing; lvslab lint ${folder}`,
  )
})

it('says nothing where lint does, nor where it has nothing to read', () => {
  expect(lintHint('topologies/keepalived-dr')).toBeUndefined()
  expect(lintHint(folderWith({ 'topology.yaml': TOPOLOGY }))).toBeUndefined()
})
