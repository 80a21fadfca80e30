import { expect } from 'vitest'
import { crashBound, handoverBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'

const test = labTest('topologies/keepalived-dr')

test('d1 crashes while clients keep asking', async ({ lab, vip }) => {
  const clients = await lab.http({ probe: 'clients', client: 'c1', url: 'http://10.0.0.100/', rate: 20 })
  await lab.sleep(1_000)

  const restart = await lab.inject('keepalived-crash', 'd1')
  expect(await lab.until({ kind: 'owner', address: '10.0.0.100', node: 'd2', others: [] }, 10_000)).toBe(true)
  const moved = await lab.mark('d2 holds the VIP')
  await lab.sleep(2_000)
  await clients.stop()
  await restart()

  const [bound, watch] = [crashBound(vip.master, vip.backup), { probe: 'clients', stepMs: 50 }]
  expect(lab.history).toFailOverWithin(bound, { vip, from: 'd1', to: 'd2', fault: 'keepalived-crash', watch })
  expect(lab.history).toKeepOneOwner(handoverBound(vip.backup), { vip, noneBound: bound })
  expect(lab.history).toShareExactly({ rs1: 1, rs2: 1 }, { probe: 'clients', window: { from: moved } })
})
