import { describe, expect } from 'vitest'
import { labTest } from '../src/suite/lab-test.ts'
import { ask, askers, DIRECTOR } from './ipvsadm.ts'
import { run } from './steps.ts'
import { outcomes } from './traffic.ts'

const test = labTest('topologies/ipvsadm-fullnat')

const SERVERS = ['rs1', 'rs2']
const RR = { rs1: 1, rs2: 1 }

test('real servers anywhere answer, and log the director as their client', async ({ lab }) => {
  await ask(lab, 'clients')
  expect(lab.history).toShareExactly(RR, { probe: 'clients' })
  for (const node of SERVERS) expect(await askers(lab, node)).toBe(DIRECTOR)
})

test('MASQUERADE of what goes to the real servers does as well', async ({ lab }) => {
  const rule = '-p tcp --dport 80 -m ipvs --ipvs -j MASQUERADE'
  await run(lab, 'd1', `iptables -t nat -F; iptables -t nat -A POSTROUTING ${rule}`)
  await ask(lab, 'masquerade')
  expect(lab.history).toShareExactly(RR, { probe: 'masquerade' })
  for (const node of SERVERS) expect(await askers(lab, node)).toBe(DIRECTOR)
})

describe('without what makes it work nobody is answered, and with it again everybody', () => {
  for (const [what, without, again] of [
    ['source NAT', 'iptables -t nat -F', '/usr/lib/lvslab/service iptables start'],
    ['vs.conntrack', 'sysctl -w net.ipv4.vs.conntrack=0', 'sysctl -w net.ipv4.vs.conntrack=1'],
    ['ip_forward', 'sysctl -w net.ipv4.ip_forward=0', 'sysctl -w net.ipv4.ip_forward=1'],
  ] as const) {
    test(what, async ({ lab }) => {
      await run(lab, 'd1', without)
      await ask(lab, 'without')
      expect(outcomes(lab, 'without')).toEqual(['timeout', 'timeout', 'timeout', 'timeout'])
      // no connection came about, so no request either
      for (const node of SERVERS) expect(await askers(lab, node)).toBe('')
      await run(lab, 'd1', again)
      await ask(lab, 'again')
      expect(lab.history).toShareExactly(RR, { probe: 'again' })
    })
  }
})

test('the rules of the packet filter are there again when the director has restarted', async ({ lab }) => {
  // with the counters, which restore takes as well
  await run(lab, 'd1', 'iptables-save -c >/etc/iptables/rules.v4')
  const restart = await lab.inject('node-restart', 'd1')
  await restart()
  await ask(lab, 'restarted')
  expect(lab.history).toShareExactly(RR, { probe: 'restarted' })
  for (const node of SERVERS) expect(await askers(lab, node)).toBe(DIRECTOR)
})
