import { describe, expect, it } from 'vitest'
import { failure, instance, read, service, vrrp } from './testing.ts'

describe('vrrp_instance', () => {
  it("fills in keepalived's defaults", () => {
    expect(instance('')).toMatchObject({
      state: 'BACKUP',
      priority: 100,
      advertInterval: 1000,
      version: 2,
      preempt: true,
      preemptDelay: 0,
      downTimerAdverts: 3,
      strict: false,
      unicastPeers: [],
      addresses: [],
      notices: [],
    })
    expect(instance('virtual_ipaddress {\n 10.0.0.100\n}').addresses).toMatchObject([{ prefix: 32, device: 'eth0' }])
  })

  it('takes 100 for a priority that is no number, and BACKUP for a state that nobody knows', () => {
    const { state, priority, notices } = instance(' state BAKCUP\n priority high')
    expect({ state, priority }).toEqual({ state: 'BACKUP', priority: 100 })
    expect(notices).toEqual([
      '4: state BAKCUP is neither MASTER nor BACKUP; keepalived takes BACKUP',
      '5: priority high is not a number from 1 to 255; keepalived takes 100',
    ])
  })

  it('takes state MASTER without a priority for the address owner', () => {
    expect(instance(' state MASTER').priority).toBe(255)
    expect(instance(' priority 255').state).toBe('MASTER')
  })

  it('clears nopreempt and preempt_delay with state MASTER', () => {
    const read = instance(' state MASTER\n priority 150\n nopreempt\n preempt_delay 5')
    expect(read).toMatchObject({ preempt: true, preemptDelay: 0 })
    expect(read.notices).toHaveLength(2)
    expect(instance(' nopreempt')).toMatchObject({ preempt: false, notices: [] })
    expect(instance(' preempt_delay 2.5')).toMatchObject({ preemptDelay: 2500, notices: [] })
  })

  it('rounds advert_int to whole seconds in version 2 and to hundredths in version 3', () => {
    expect(instance(' advert_int 0.3')).toMatchObject({ advertInterval: 1000 })
    expect(instance(' advert_int 1.5')).toMatchObject({ advertInterval: 2000 })
    const vip = ' virtual_ipaddress {\n 10.0.0.100\n }\n version 3\n'
    expect(instance(`${vip} advert_int 0.104`)).toMatchObject({ advertInterval: 100 })
    expect(instance(`${vip} advert_int 0.1`)).toMatchObject({ advertInterval: 100, notices: [] })
  })

  it('cuts auth_pass after 8 characters, drops it in version 3, and never shows it', () => {
    const auth = ' authentication {\n auth_type PASS\n auth_pass topsecret1\n }'
    const two = instance(auth)
    expect(two.authentication?.secret).toBe('topsecre')
    const three = instance(`${auth}\n version 3\n virtual_ipaddress {\n 10.0.0.100\n }`)
    expect(three.authentication).toBeUndefined()
    expect(two.notices).toHaveLength(1)
    expect(three.notices).toHaveLength(1)
    expect(JSON.stringify([two.notices, three.notices])).not.toContain('topsecre')
  })

  it('takes multicast group, version, interface and unicast peers from where they stand', () => {
    const read = instance(
      ' unicast_src_ip 10.0.0.2/24\n unicast_peer {\n 10.0.0.3\n ten\n }',
      'global_defs {\n vrrp_mcast_group4 224.0.0.99\n vrrp_version 2\n vrrp_startup_delay 2\n}',
    )
    expect(read).toMatchObject({ unicastPeers: ['10.0.0.3'], sourceAddress: '10.0.0.2', multicastGroup: '224.0.0.99' })
    expect(read.notices).toEqual(['7: ten is not an address; keepalived leaves this peer out'])
  })

  it('leaves out addresses that are none, and puts the others on the VMAC where there is one', () => {
    const read = instance(' use_vmac\n virtual_ipaddress {\n 10.0.0.300\n 10.0.0.1,\n fe80::1/64\n }')
    expect(read.addresses).toMatchObject([{ address: 'fe80::1', prefix: 64, device: 'vrrp.51' }])
    expect(read.notices).toHaveLength(2)
  })

  it('takes the whole address where a prefix is none', () => {
    const read = instance(
      ' virtual_ipaddress {\n 10.0.0.1/24,\n 10.0.0.2/255.255.255.0\n 10.0.0.3/33\n 10.0.0.4/+24\n }',
    )
    expect(read.addresses?.map(one => one.prefix)).toEqual([32, 32, 32, 24])
    expect(read.notices?.[0]).toBe('5: the prefix of 10.0.0.1/24, is not a number from 0 to 32; keepalived takes 32')
    expect(read.notices).toHaveLength(3)
  })

  it('puts VIPs of its family that are on its interface on the VMAC', () => {
    const { vmac, addresses, excludedAddresses } = instance(
      ' use_vmac 00:00:5e:00:02:01 name vip0\n virtual_ipaddress {\n 10.0.0.1 dev eth0\n 10.0.0.2 dev eth1\n }\n virtual_ipaddress_excluded {\n fd00::1\n }',
    )
    expect(vmac).toBe('vip0')
    expect([...(addresses ?? []), ...(excludedAddresses ?? [])].map(one => one.device)).toEqual([
      'vip0',
      'eth1',
      'eth0',
    ])
  })

  it('tells of VMACs that VIPs have on their own devices', () => {
    const vips = (line: string) => ` virtual_ipaddress {\n ${line}\n }`
    expect(instance(` use_vmac_addr\n${vips('10.0.0.1 dev eth1')}`).addressVmacs).toBe(true)
    expect(instance(vips('10.0.0.1 dev eth1 use_vmac')).addressVmacs).toBe(true)
    expect(instance(` use_vmac\n${vips('10.0.0.1')}`).addressVmacs).toBeUndefined()
  })

  it('names a VMAC by vmac_prefix, and with a number where the name is taken', () => {
    const one = (name: string, vip: string) =>
      `${vrrp(` use_vmac\n virtual_ipaddress {\n ${vip}\n }`).replace('VI_1', name)}\n`
    const names = (text: string) => read(text).instances.map(({ vmac }) => vmac)
    const six = one('SIX', 'fd00::1')
    expect(names(one('A', '10.0.0.1') + six + one('B', '10.0.0.2'))).toEqual(['vrrp.51', 'vrrp6.51', 'vrrp1.51'])
    expect(names(six + one('A', '10.0.0.1'))).toEqual(['vrrp.51', 'vrrp1.51'])
    expect(names(`global_defs {\n vmac_prefix vr\n}\n${six}`)).toEqual(['vr.51'])
    expect(names(`global_defs {\n vmac_prefix abcdefghijklmnop\n}\n${six}`)).toEqual(['abcdefghijkl.51'])
  })

  it('leaves out a VIP whose broadcast address is none', () => {
    const read = instance(
      ' virtual_ipaddress {\n 10.0.0.1/24 brd 10.0.0\n 10.0.0.2/24 brd +\n 10.0.0.3/24 broadcast 10.0.0.255\n }',
    )
    expect(read.addresses?.map(vip => vip.address)).toEqual(['10.0.0.2', '10.0.0.3'])
    expect(read.notices).toEqual([
      '5: 10.0.0 is not an address that broadcasts of 10.0.0.1/24 could have; keepalived leaves 10.0.0.1/24 out',
    ])
  })

  it('takes a VIP once, whatever its prefix and device', () => {
    const read = instance(' virtual_ipaddress {\n 10.0.0.1\n 10.0.0.1/24 dev eth1\n 10.0.0.2\n }')
    expect(read.addresses?.map(vip => vip.address)).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(read.notices).toEqual(['6: VIP 10.0.0.1 stands twice; keepalived ignores the second'])
  })

  it('refuses what keepalived does not start with', () => {
    const refuse = (text: string) => failure(() => read(text))
    expect(refuse('vrrp_instance V {\n virtual_router_id 1\n}')).toMatchObject({
      code: 'CONFIG_REFUSED',
      at: { line: 1 },
    })
    expect(refuse('vrrp_instance V {\n interface eth0\n virtual_router_id 256\n}').at?.line).toBe(3)
    expect(refuse('vrrp_instance V {\n virtual_router_id 1\n interface a234567890123456\n}').at?.line).toBe(3)
    expect(refuse(vrrp(' priority'))).toMatchObject({ code: 'CONFIG_REFUSED', at: { line: 4 } })
    for (const bare of ['unicast_src_ip', 'garp_master_delay', 'authentication {\n auth_type PASS\n auth_pass\n }'])
      expect(refuse(vrrp(` ${bare}`)).message).toContain('has no value; keepalived stops at it')
    expect(refuse(vrrp(' version 3')).message).toContain('no VIP')
  })
})

it('does not look at what follows the / of a peer', () => {
  const read = instance(' unicast_peer {\n 10.0.0.3/24\n 10.0.0.4/a\n 10.0.0.300/24\n }')
  expect(read.unicastPeers).toEqual(['10.0.0.3', '10.0.0.4'])
  expect(read.notices).toEqual(['7: 10.0.0.300/24 is not an address; keepalived leaves this peer out'])
})

it('has IPv6 addresses as the kernel prints them', () => {
  const head = 'fd00:0::0:100 80'
  const { service: its } = service(' sorry_server FD00::9 80\n real_server fd00:0:0:0:0:0:0:a 80 {\n }', head)
  expect(its).toMatchObject({
    ...{ name: '[fd00::100]:80/TCP', address: 'fd00::100', sorryServer: { address: 'fd00::9' } },
    realServers: [{ address: 'fd00::a' }],
  })
  const vips = instance(' virtual_ipaddress {\n fe80:0::64/64\n fd00::0:100/64\n }')
  expect(vips.addresses?.map(vip => vip.address)).toEqual(['fe80::64', 'fd00::100'])
})
