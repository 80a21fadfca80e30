import { expect, it } from 'vitest'
import { History } from '../history/history.ts'
import { planScenarios } from './scenarios.ts'
import { planOf } from './testing.ts'
import { unsettled, unsettledBy } from './unsettled.ts'

const saying = (node: string, line: string): History => {
  const history = new History()
  history.add({ kind: 'keepalived', t: 1, node, line })
  return history
}
const FAILED = 'VRRP_Script(check_nginx) failed (exited with status 1)'

it('is a VIP with a director on which a script fails before anything is broken: of the backup, too', () => {
  const plan = planOf('nginx-pair')
  for (const node of ['d1', 'd2'])
    expect(unsettled(plan, saying(node, FAILED)).get('10.0.0.100')).toContain(`keepalived said on ${node}: ${FAILED}.`)
  expect(unsettled(plan, saying('d1', 'VRRP_Script(check_nginx) succeeded')).size).toBe(0)
  expect(unsettled(plan, saying('d1', FAILED.replace('check_nginx', 'other'))).size).toBe(0)
})

it('is none whose instances do not track it', () => {
  const plan = planOf('keepalived-checkers')
  const vips = unsettled(plan, saying('d1', FAILED.replace('check_nginx', 'chk')))
  expect([...vips.keys()].toSorted()).toEqual(['10.0.0.102', '10.0.0.103'])
  const scenarios = planScenarios(plan)
  const why = (name: string) => {
    const found = scenarios.find(one => one.name === name)
    return found && unsettledBy(found, vips)
  }
  expect(why('failover-stop-10.0.0.102')).toContain('VRRP_Script(chk) failed')
  expect(why('failover-stop-10.0.0.100')).toBeUndefined()
  expect(scenarios.filter(one => one.name.startsWith('shares') && unsettledBy(one, vips))).toEqual([])
})
