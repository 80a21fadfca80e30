import { describe, expect, it } from 'vitest'
import { explainDualMaster } from './dual-master.ts'
import { aDirector, anInstance } from './examples.ts'
import { byElection, vrrpGroups } from './pair.ts'
import type { VrrpInstance } from './types.ts'

const addresses: Record<string, string> = { d1: '10.0.0.2', d2: '10.0.0.3', d3: '10.0.0.10' }
const locate = (node: string, device: string) =>
  device === 'eth0' ? { network: 'lan', address: addresses[node] ?? '', otherNetworks: [] } : undefined

describe('who holds the VIP', () => {
  it('orders by priority, then by the higher address as a number', () => {
    const nodes = ['10.0.0.9', '10.0.0.10', '10.0.0.2'].map(address => ({ address, priority: 100 }))
    const owner = { address: '10.0.0.1', priority: 101 }
    expect([...nodes, owner].sort(byElection).map(one => one.address)).toEqual([
      '10.0.0.1',
      '10.0.0.10',
      '10.0.0.9',
      '10.0.0.2',
    ])
    const six = ['fe80::1', 'fe80::10', 'fe80::a%eth0'].map(address => ({ address, priority: 1 }))
    expect(six.sort(byElection).map(one => one.address)).toEqual(['fe80::10', 'fe80::a%eth0', 'fe80::1'])
  })

  it('groups the instances of one network and number, the expected MASTER first', () => {
    const groups = vrrpGroups(
      [
        aDirector('d1', anInstance({ priority: 90 }), anInstance({ name: 'VI_2', virtualRouterId: 52 })),
        aDirector('d2', anInstance({ priority: 150 })),
        aDirector('d3', anInstance({ interface: 'eth9' })),
      ],
      locate,
    )
    expect(groups.map(group => group.members.map(member => member.node))).toEqual([['d2', 'd1'], ['d1']])
    expect(groups[0]).toMatchObject({ network: 'lan', virtualRouterId: 51, vips: ['10.0.0.100'] })
  })
})

it('has two groups of one number where one is of IPv6', () => {
  const at = { file: 'keepalived.conf', line: 1, column: 1 }
  const six = anInstance({ name: 'VI_6', addresses: [{ address: 'fd00::100', prefix: 64, device: 'eth0', at }] })
  const groups = vrrpGroups([aDirector('d1', anInstance(), six), aDirector('d2', six)], locate)
  expect(groups.map(({ vips, members }) => [vips, members.length])).toEqual([
    [['10.0.0.100'], 1],
    [['fd00::100'], 2],
  ])
})

describe('unicast peers', () => {
  const own = { d1: '10.1.0.5', d2: '10.2.0.5', d3: '10.3.0.5' }
  const apart = (node: string) => ({ network: `of ${node}`, address: own[node as 'd1'], otherNetworks: [] })
  const speaks = (node: 'd1' | 'd2' | 'd3', peers: string[], changes: Partial<VrrpInstance> = {}) =>
    aDirector(node, anInstance({ unicastPeers: peers, ...changes }))
  const groupsOf = (...directors: ReturnType<typeof speaks>[]) =>
    vrrpGroups(directors, apart).map(({ members }) => members.map(({ node }) => node).join())

  it('are one group where routers lie between them', () => {
    const two = speaks('d2', [own.d1, own.d3], { priority: 90 })
    const three = speaks('d3', [own.d1, own.d2], { sourceAddress: own.d3, priority: 150 })
    expect(groupsOf(speaks('d1', [own.d2, own.d3]), two, three)).toEqual(['d3,d1,d2'])
  })

  it('are two where one does not speak to the other, or not of the same virtual router', () => {
    expect(groupsOf(speaks('d1', [own.d2]), speaks('d2', [own.d3]))).toEqual(['d1', 'd2'])
    expect(groupsOf(speaks('d1', [own.d2]), speaks('d2', [own.d1], { virtualRouterId: 52 }))).toEqual(['d1', 'd2'])
    expect(groupsOf(speaks('d1', []), speaks('d2', []))).toEqual(['d1', 'd2'])
  })
})

describe('why two directors could both be MASTER', () => {
  const auth = (secret: string, type: 'PASS' | 'AH' = 'PASS') => ({
    authentication: { type, secret, at: { file: 'k', line: 1, column: 1 } },
  })
  const explain = (one: Partial<VrrpInstance>, two: Partial<VrrpInstance>) =>
    explainDualMaster([aDirector('d1', anInstance(one)), aDirector('d2', anInstance(two))])

  it('finds nothing where the configurations agree', () => {
    expect(explain({ priority: 150, state: 'MASTER', ...auth('x') }, auth('x'))).toEqual([])
  })

  it('never prints the secrets', () => {
    const causes = explain(auth('hunter2'), auth('hunter3'))
    expect(causes.map(cause => cause.what)).toEqual(['auth_pass'])
    expect(JSON.stringify(causes)).not.toContain('hunter')
  })

  it.each<[Partial<VrrpInstance>, Partial<VrrpInstance>, string]>([
    [{ virtualRouterId: 51 }, { virtualRouterId: 52 }, 'virtual_router_id differs (d1: 51, d2: 52)'],
    [{ version: 2 }, { version: 3 }, 'version differs (d1: 2, d2: 3)'],
    [{}, { advertInterval: 2000 }, 'advert_int differs (d1: 1 s, d2: 2 s): in version 2'],
    [{}, { multicastGroup: '224.0.0.19' }, 'multicast group differs'],
    [{ unicastPeers: ['10.0.0.3'] }, {}, 'unicast_peer differs (d1: unicast, d2: multicast)'],
    [auth('x'), {}, 'auth_type differs (d1: PASS, d2: none)'],
    [{}, { addresses: [] }, 'virtual_ipaddress differs (d1: 10.0.0.100, d2: none): keepalived before 2.3.3'],
  ])('names what differs', (one, two, message) => {
    expect(explain(one, two).map(cause => cause.message)).toEqual([expect.stringContaining(message)])
  })

  it('lets version 3 have different intervals, as backups learn them', () => {
    expect(explain({ version: 3 }, { version: 3, advertInterval: 2000 })).toEqual([])
  })

  it('does not mix two groups up that are listed in another order', () => {
    const other = { address: '10.0.0.200', prefix: 24, device: 'eth0', at: { file: 'k', line: 1, column: 1 } }
    const a = anInstance({ name: 'A' })
    const b = anInstance({ name: 'B', virtualRouterId: 52, addresses: [other] })
    const swapped = [
      { ...b, name: 'A' },
      { ...a, name: 'B' },
    ]
    expect(explainDualMaster([aDirector('d1', a, b), aDirector('d2', ...swapped)])).toEqual([])
  })
})
