import { afterAll, describe, expect, it } from 'vitest'
import type { IpvsEvent, LabEvent } from '../history/event.ts'
import { now } from './clock.ts'
import { largeTable, listed, parseCounters, parseIpvs, parseIpvsadm, shape, snapshotIpvs } from './ipvs.ts'
import { listen } from './journal.ts'

const TABLE = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A000064:0050 rr  
  -> 0A000014:0050      Route   1      0          12        
  -> 0A00000A:1F90      Masq    3      2          0         
UDP  0A000064:0035 wlc persistent 50 FFFFFFFF
FWM  00000032 wrr 
  -> 7F000001:0050      Local   1      0          0         
`

it("reads the kernel's table: hexadecimal addresses, ports and marks", () => {
  expect(parseIpvs(TABLE)).toEqual([
    {
      service: 'TCP 10.0.0.100:80',
      scheduler: 'rr',
      persistent: false,
      destinations: [
        { address: '10.0.0.20', port: 80, forwarding: 'Route', weight: 1, active: 0, inactive: 12 },
        { address: '10.0.0.10', port: 8080, forwarding: 'Masq', weight: 3, active: 2, inactive: 0 },
      ],
    },
    { service: 'UDP 10.0.0.100:53', scheduler: 'wlc', persistent: true, destinations: [] },
    {
      service: 'FWM 50',
      scheduler: 'wrr',
      persistent: false,
      destinations: [{ address: '127.0.0.1', port: 80, forwarding: 'Local', weight: 1, active: 0, inactive: 0 }],
    },
  ])
})

it('reads the same from what ipvsadm prints', () => {
  const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.0.0.100:80 rr
  -> 10.0.0.20:80                 Route   1      0          12        
  -> 10.0.0.10:8080               Masq    3      2          0         
UDP  10.0.0.100:53 wlc persistent 50
FWM  50 wrr
  -> 127.0.0.1:80                 Local   1      0          0         
`
  expect(parseIpvsadm(text)).toEqual(parseIpvs(TABLE))
})

it('reads IPv6 as everybody writes it, from the kernel and from ipvsadm', () => {
  const head =
    'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port\n'
  const kernel = `${head}TCP  [fd00:0000:0000:0001:0000:0000:0000:0100]:0050 rr  
  -> [fd00:0000:0000:0001:0000:0000:0000:000a]:1F90      Masq    1      0          2         
`
  const ipvsadm = `${head}TCP  [fd00:0:0:1::100]:80 rr
  -> [fd00:0:0:1::a]:8080            Masq    1      0          2         
`
  expect(parseIpvs(kernel)).toEqual([
    {
      ...{ service: 'TCP [fd00:0:0:1::100]:80', scheduler: 'rr', persistent: false },
      destinations: [{ address: 'fd00:0:0:1::a', port: 8080, forwarding: 'Masq', weight: 1, active: 0, inactive: 2 }],
    },
  ])
  expect(parseIpvsadm(ipvsadm)).toEqual(parseIpvs(kernel))
})

describe('what ipvsadm says of a large table', () => {
  const node = { name: 'd1', role: 'director' as const, pid: 0, container: '', interfaces: [] }
  const troubles: LabEvent[] = []
  const unlisten = listen(event => void troubles.push(event))
  afterAll(unlisten)
  const result = { started: 0, ended: 0, code: 0, stdout: '', stderr: '' }

  it('is none of a node that is down, and no trouble', async () => {
    expect(await largeTable({ ...node, pid: 2 ** 30 })).toEqual([])
    expect(troubles).toEqual([])
  })

  it('has a service once that ipvsadm prints twice', () => {
    const stdout =
      'IP\nProt\n  -> Remote\nTCP  10.0.0.100:80 rr\nTCP  10.0.0.101:80 rr\nTCP  10.0.0.100:80 rr\nFWM  5 rr\nFWM  5 IPv6 wrr\n'
    expect(listed(node, { ...result, stdout })?.map(({ service, scheduler }) => `${service} ${scheduler}`)).toEqual([
      'TCP 10.0.0.100:80 rr',
      'TCP 10.0.0.101:80 rr',
      // a mark of each family
      'FWM 5 rr',
      'FWM 5 wrr',
    ])
  })

  it('is no table where it failed, but trouble', () => {
    expect(listed(node, { ...result, stdout: 'IP Virtual Server\n\n\nFWM  50 rr\n' })).toHaveLength(1)
    expect(troubles).toEqual([])
    const failed = { ...result, code: 124, stdout: TABLE, stderr: 'killed\n' }
    expect(listed(node, failed)).toBeUndefined()
    expect(troubles).toMatchObject([
      { kind: 'trouble', node: 'd1', what: 'ipvsadm ended with code 124, and its table is unknown: killed' },
    ])
  })
})

it('says of a table when the reading before it was begun', async () => {
  const tables: LabEvent[] = []
  const unlisten = listen(event => void tables.push(event))
  const node = { name: 'd9', role: 'director' as const, pid: 2 ** 30, container: '', interfaces: [] }
  const began = now()
  for (const reason of ['start', 'step']) await snapshotIpvs(node, reason, false)
  await snapshotIpvs(node, 'log', true)
  unlisten()
  const [first, second, ...others] = tables as IpvsEvent[]
  expect(others).toEqual([]) // nothing has changed
  expect(first?.since).toBeUndefined()
  expect(second?.since).toBeGreaterThanOrEqual(began)
  expect(second?.since).toBeLessThanOrEqual(first?.t ?? 0)
})

it('is another pool with another scheduler, persistence, forwarding or weight, and the same with other connections', () => {
  const is = (from: string, to: string): boolean =>
    shape(parseIpvs(TABLE)) === shape(parseIpvs(TABLE.replace(from, to)))
  expect(is('0050 rr', '0050 sh')).toBe(false)
  expect(is('0050 rr', '0050 rr persistent 50 FFFFFFFF')).toBe(false)
  expect(is('Masq    3', 'Route   3')).toBe(false)
  expect(is('Masq    3', 'Masq    4')).toBe(false)
  expect(is('2          0', '3          1')).toBe(true)
})

it('finds nothing in the table of a kernel that has no service', () => {
  expect(parseIpvs(TABLE.split('\n').slice(0, 3).join('\n'))).toEqual([])
})

it('reads what each real server has got', () => {
  const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.0.0.100:80                     104      624        0    38272        0
  -> 10.0.0.10:80                       52      312        0    19136        0
FWM  50                                  0        0        0        0        0
  -> 10.0.0.10:0                         1        2        3        4        5
`
  expect([...parseCounters(text)]).toEqual([
    [
      'TCP 10.0.0.100:80 10.0.0.10:80',
      { connections: 52, packetsIn: 312, packetsOut: 0, bytesIn: 19_136, bytesOut: 0 },
    ],
    ['FWM 50 10.0.0.10:0', { connections: 1, packetsIn: 2, packetsOut: 3, bytesIn: 4, bytesOut: 5 }],
  ])
})
