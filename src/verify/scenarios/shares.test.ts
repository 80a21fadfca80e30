import { expect, it } from 'vitest'
import {
  callsOf,
  type Change,
  changedPlan,
  checkOf,
  persistent,
  SERVICE,
  scenarioOf,
  udpPlan,
  whyUntested,
} from '../testing.ts'

const NAME = `shares-${SERVICE}`
const by =
  (words: string): Change =>
  text =>
    text.replace('lb_algo rr', `lb_algo ${words}`)
const paramsOf = (words: string) => checkOf(scenarioOf(changedPlan(by(words)), NAME), NAME).params

it('of what has no exact cycle is judged by the algorithm, connection for connection', async () => {
  expect(paramsOf('wlc')).toEqual({
    ...{ probe: 'clients', director: 'd1', service: 'TCP 10.0.0.100:80', destination: '10.0.0.100', scheduler: 'wlc' },
    names: { '10.0.0.10:80': 'rs1', '10.0.0.20:80': 'rs2' },
  })
  const plan = changedPlan(by('wlc'))
  expect(checkOf(scenarioOf(plan, NAME), NAME).title).toBe(
    `wlc sends each connection to ${SERVICE} to the real server that its algorithm chooses`,
  )
  expect(await callsOf(plan, NAME)).toMatchObject([['http', { probe: 'clients', count: 100 }]])
  expect(paramsOf('rr')).toMatchObject({ expected: { cycle: 2 } })
})

it('by the address of a client is judged of many clients', async () => {
  const plan = changedPlan(by('sh\nflag-1\nsh-port'))
  expect(checkOf(scenarioOf(plan, NAME), NAME)).toMatchObject({
    title: `sh sends each connection to ${SERVICE} to the real server that its algorithm chooses`,
    params: { scheduler: 'sh', flags: ['sh-fallback', 'sh-port'] },
  })
  expect(await callsOf(plan, NAME)).toMatchObject([
    ['addSources', 'c1', { count: 25 }],
    ['http', { count: 100, sources: ['25 more'] }],
  ])
  expect(checkOf(scenarioOf(changedPlan(by('mh')), NAME), NAME).title).toContain('mh sends each client of')
})

it('by the address of a client, and persistence, lose a server under the eyes of many clients', async () => {
  const begin = async (change: Change) => (await callsOf(changedPlan(change), `server-${SERVICE}-rs1:80`)).slice(0, 2)
  const many = [
    ['addSources', 'c1', { count: 20 }],
    ['http', { rate: 20, sources: ['20 more'] }],
  ]
  expect(await begin(by('mh'))).toMatchObject(many)
  expect(await begin(persistent('persistence_timeout 50'))).toMatchObject(many)
  expect(await begin(by('wlc'))).toMatchObject([
    ['http', { rate: 20 }],
    ['sleep', 1000],
  ])
})

it('of UDP is judged so too', () => {
  const udp = `shares-10.0.0.100:80/UDP`
  expect(checkOf(scenarioOf(udpPlan(by('lc')), udp), udp).params).toMatchObject({ service: 'UDP 10.0.0.100:80' })
  expect(
    checkOf(
      scenarioOf(
        udpPlan(text => by('lc')(text).replace('protocol TCP', 'protocol TCP\nops')),
        udp,
      ),
      udp,
    ).params,
  ).toMatchObject({
    onePacket: true,
  })
})

it('of clients that are new to a persistent service is judged from what the table has by then', async () => {
  const plan = changedPlan(text => by('wlc')(persistent('persistence_timeout 50')(text)))
  const name = `persistence-${SERVICE}`
  expect(checkOf(scenarioOf(plan, name), `newcomers-${SERVICE}`)).toMatchObject({
    title: `wlc sends each client that is new to ${SERVICE} to the real server that its algorithm chooses`,
    params: { probe: 'newcomers', scheduler: 'wlc' },
  })
  expect(await callsOf(plan, name)).toMatchObject([
    ['addSources', 'c1', { count: 5 }],
    ['http', { probe: 'clients', count: 15 }],
    ['snapshot'],
    ['addSources', 'c1', { count: 20 }],
    ['http', { probe: 'newcomers', count: 20, sources: ['20 more'] }],
  ])
})

it('of new clients is untested where the scheduler remembers what no table shows', () => {
  const plan = changedPlan(text => by('lblc')(persistent('persistence_timeout 50')(text)))
  expect(whyUntested(plan, `shares of the new clients of ${SERVICE}`)).toBe(
    'lblc goes on with the server that it chose before',
  )
})

it('is untested where chance decides, and where nobody gets a connection', () => {
  expect(whyUntested(changedPlan(by('twos')), `shares of ${SERVICE}`)).toBe('twos has no exact share')
  const nobody: Change = text => by('wlc')(text).replaceAll('weight 1', 'weight 0')
  expect(whyUntested(changedPlan(nobody), `shares of ${SERVICE}`)).toBe('wlc has no exact share')
})
