import { expect } from 'vitest'
import { eventsOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { serverDownBound, serverUpBound } from '../src/model/health-check.ts'
import { preemptBound, stopBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import type { Plan } from '../src/verify/plan.ts'
import { PATIENCE_MS } from '../src/verify/scenario.ts'
import { run } from './steps.ts'

const test = labTest('topologies/keepalived-two-pools')

const VIP = '10.0.1.100'
const SERVICE = `TCP ${VIP}:80`
const RS1 = { node: 'rs1', address: '10.0.1.103', port: 80 }

/** Mails that are still to come, if any are, ms. */
const SETTLE_MS = 2_000

/** Subject and number of recipients of each mail that has arrived, in order. */
const mails = async (lab: Lab): Promise<string[]> =>
  (await run(lab, 'mail', 'cat /var/mail/received')).stdout.trim().split('\n')

/** The mails that come of some steps. */
const mailsOf = async (lab: Lab, steps: () => Promise<void>): Promise<string[]> => {
  const before = (await mails(lab)).length
  await steps()
  await lab.sleep(SETTLE_MS)
  return (await mails(lab)).slice(before)
}

const boundsOfRs1 = ({ services, keepalived }: Plan) => {
  const server = services[0]?.servers.find(one => one.node === RS1.node)?.server
  const [down, up] = server ? [serverDownBound(server, 'refused'), serverUpBound(server, 'refused', keepalived)] : []
  if (!down || !up) throw new Error('no bound is known for the health check of rs1')
  return { down, up }
}

/** The web server of rs1 crashes and comes back, and both directors see it. */
const loseServer = async (lab: Lab, plan: Plan): Promise<void> => {
  const { down, up } = boundsOfRs1(plan)
  const bothHave = async (destinations: string[], ms: number): Promise<void> => {
    for (const node of plan.directors)
      expect(await lab.until({ kind: 'pool', node, service: SERVICE, destinations }, ms + PATIENCE_MS)).toBe(true)
  }
  const heal = await lab.inject('httpd-crash', 'rs1')
  await bothHave(['10.0.1.104:80'], down.maxMs)
  await lab.sleep(SETTLE_MS)
  await heal()
  await bothHave(['10.0.1.103:80', '10.0.1.104:80'], up.maxMs)
}

/** keepalived on d1 is stopped, so that d2 holds the VIPs, and started again. */
const failOver = async (lab: Lab, plan: Plan): Promise<void> => {
  const [d1, d2] = plan.vips[0]?.members.map(member => member.instance) ?? []
  const back = d1 && d2 && preemptBound(d1, d2)
  if (!back) throw new Error('no failover is predicted')
  const heal = await lab.inject('keepalived-stop', 'd1')
  const patience = stopBound(d1, d2).maxMs + PATIENCE_MS
  expect(await lab.until({ kind: 'owner', address: VIP, node: 'd2', others: ['d1'] }, patience)).toBe(true)
  await lab.sleep(SETTLE_MS)
  await heal()
  const return_ = back.maxMs + PATIENCE_MS
  expect(await lab.until({ kind: 'owner', address: VIP, node: 'd1', others: ['d2'] }, return_)).toBe(true)
}

/** What both directors write of rs1 when it goes and returns. */
const OF_RS1 = ['d1', 'd2'].flatMap(director =>
  ['DOWN', 'UP'].map(
    state => `[${director}] Realserver [10.0.1.103]:tcp:80 of virtual server [10.0.1.100]:tcp:80 - ${state}, to 3`,
  ),
)

test('each director writes one mail for each state that it enters, and none when it is stopped', async ({
  lab,
  plan,
}) => {
  const start = await lab.mark('before the failover')
  const arrived = await mailsOf(lab, () => failOver(lab, plan))
  const entered = eventsOf(lab.history, 'keepalived').flatMap(({ t, node, transition }) =>
    t > start && transition && transition.state !== 'STOP' ? [{ node, ...transition }] : [],
  )
  expect(entered.map(({ node, state }) => `${node} ${state}`).sort()).toEqual([
    ...['d1 BACKUP', 'd1 MASTER', 'd2 BACKUP', 'd2 MASTER'],
  ])
  const promised = [
    ...entered.map(({ node, state }) => `[${node}] VRRP Instance VI_1 - Entering ${state} state, to 3`),
    // a checker that starts says of each service that it has its quorum
    ...plan.vips.map(({ address }) => `[d1] Virtualserver [${address}]:tcp:80 - UP, to 3`),
  ]
  expect(arrived.sort()).toEqual(promised.sort())
})

test('smtp_alert is off by default for VIPs and services, and on for real servers', async ({ lab, plan }) => {
  const change = async (file: string, replace: [string, string]): Promise<void> => {
    for (const director of plan.directors)
      await lab.inject('config-change', director, { file: `/etc/keepalived/${file}`, replace })
  }
  await change('keepalived.conf', ['smtp_alert', ''])
  await change('conf.d/services.conf', ['smtp_alert', ''])
  expect(await mailsOf(lab, () => failOver(lab, plan))).toEqual([])
  expect((await mailsOf(lab, () => loseServer(lab, plan))).sort()).toEqual(OF_RS1)

  await change('keepalived.conf', ['smtp_connect_timeout 30', 'smtp_connect_timeout 30\n    smtp_alert off'])
  expect(await mailsOf(lab, () => loseServer(lab, plan))).toEqual([])
  await lab.faults.healAll()
})

/** `smtp_connect_timeout` of both directors, ms. */
const SMTP_TIMEOUT_MS = 30_000

for (const [fault, broken, complaint] of [
  ['refuses', 'pkill -x smtp-sink', 'smtp fd \\d+ returned write error'],
  ['says nothing', 'pkill -STOP -x smtp-sink', 'Timeout reading data to remote SMTP server'],
  ['is not there', 'iptables -I INPUT -j DROP', 'Timeout opening connection to remote SMTP server'],
] as const)
  test(`a mail server that ${fault} delays no failover`, async ({ lab, plan, vip }) => {
    await run(lab, 'mail', broken)
    const start = await lab.mark('the mail server is broken')
    await failOver(lab, plan)
    const bound = stopBound(vip.master, vip.backup)
    expect(lab.history).toFailOverWithin(bound, { vip, from: 'd1', to: 'd2', fault: 'keepalived-stop' })
    await lab.sleep(SMTP_TIMEOUT_MS)
    for (const director of plan.directors) {
      const said = eventsOf(lab.history, 'keepalived').filter(({ t, node }) => t > start && node === director)
      const lines = said.map(({ line }) => line)
      expect(lines, `${director} has tried`).toContainEqual(expect.stringMatching(complaint))
    }
  })

test('a mail server that is not there keeps no dead real server in the pool', async ({ lab, plan, vip }) => {
  await run(lab, 'mail', 'iptables -I INPUT -j DROP')
  await loseServer(lab, plan)
  const { down, up } = boundsOfRs1(plan)
  expect(lab.history).toRemoveServerWithin(down, {
    ...{ vip, service: SERVICE, server: RS1, fault: 'httpd-crash', upBound: up },
  })
})
