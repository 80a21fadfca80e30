import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadTopology } from '../topology/load.ts'
import { planTopology } from './plan.ts'
import { promisesOf } from './promises.ts'

const plan = planTopology(loadTopology(path.resolve(import.meta.dirname, '../../topologies/keepalived-dr')))
const found = promisesOf(plan)

describe('what the DR pair promises', () => {
  it('says who holds the VIP, and who comes next', () => {
    expect(found.vips).toEqual(['10.0.0.100: d1 (priority 100), then d2 (80)'])
  })

  it('has the bound and the formula of a failover', () => {
    const crash = found.promises.find(({ check }) => check === 'failover-crash')
    expect(crash?.bounds.map(({ maxMs }) => maxMs)).toEqual([3687.5])
    expect(crash?.bounds[0]?.formula).toContain('3 x 1 s + (256-80)/256 s')
  })

  it('has both bounds of a real server that is lost and comes back', () => {
    const lost = found.promises.find(({ check }) => check === 'server-10.0.0.100:80/TCP-rs1:80')
    expect(lost?.bounds.map(({ name }) => name)).toEqual([
      'real server 10.0.0.10:80 out of the table',
      'real server 10.0.0.10:80 in the table again',
    ])
  })

  it('has the shares of a cycle', () => {
    const shares = found.promises.find(({ check }) => check === 'shares-10.0.0.100:80/TCP')
    expect(shares?.shares).toEqual({ rs1: 1, rs2: 1 })
  })
})
