import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { LvslabError } from '../../errors.ts'
import type { DirectorConfig } from '../../model/types.ts'
import { readDirector } from './director.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

const rootWith = (files: Record<string, string>): string => {
  const root = mkdtempSync(join(tmpdir(), 'lvslab-config-'))
  roots.push(root)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}
const MAIN = 'etc/keepalived/keepalived.conf'
const read = (text: string, others: Record<string, string> = {}): DirectorConfig =>
  readDirector({ node: 'd1', root: rootWith({ [MAIN]: text, ...others }) })
const failure = (run: () => unknown): LvslabError => {
  try {
    run()
  } catch (error) {
    return error as LvslabError
  }
  throw new Error('it was read without an error')
}
const messages = (config: DirectorConfig): string[] =>
  config.notices.map(notice => `${notice.at.line}: ${notice.message}`)

const vrrp = (lines: string) => `vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n${lines}\n}`
const instance = (lines: string, globals = '') => {
  const config = read(`${vrrp(lines)}\n${globals}`)
  return { ...config.instances[0], notices: messages(config) }
}
const service = (lines: string, head = '10.0.0.100 80') => {
  const config = read(`virtual_server ${head} {\n protocol TCP\n lvs_method DR\n lvs_sched rr\n${lines}\n}`)
  return { service: config.services[0], notices: messages(config) }
}

describe('a whole configuration', () => {
  it('says which lines have left their block, and that notify scripts are not judged', () => {
    const notify = 'notify_master "/etc/keepalived/notify.sh master"'
    const outside = read(`${vrrp('')}\n${notify}`)
    expect(messages(outside)).toEqual(['6: notify_master stands outside of every block; keepalived ignores it'])
    expect(instance(` ${notify}`).notices).toEqual([
      '4: whether keepalived runs the notify scripts of VI_1 is not judged',
    ])
  })

  it('reads a director pair as it is usually written', () => {
    const config = read(`
      global_defs { router_id d1 }
      vrrp_instance VI_1 {
        state MASTER
        interface eth0
        virtual_router_id 51
        priority 150
        advert_int 1
        authentication {
          auth_type PASS
          auth_pass s3cret
        }
        virtual_ipaddress {
          10.0.0.100/24 dev eth0 label eth0:1
        }
      }
      virtual_server 10.0.0.100 80 {
        delay_loop 2
        lb_algo wrr
        lb_kind DR
        protocol TCP
        sorry_server 127.0.0.1 80
        real_server 10.0.0.11 80 {
          weight 3
          HTTP_GET {
            url {
              path /
              status_code 200
            }
            connect_timeout 1.5
            nb_get_retry 2
            delay_before_retry 1
          }
        }
        real_server 10.0.0.12 80 { TCP_CHECK { } }
      }`)
    expect(config.notices).toEqual([])
    expect(config.instances[0]).toMatchObject({
      state: 'MASTER',
      priority: 150,
      advertInterval: 1000,
      version: 2,
      preempt: true,
      multicastGroup: '224.0.0.18',
      authentication: { type: 'PASS', secret: 's3cret' },
      addresses: [{ address: '10.0.0.100', prefix: 24, device: 'eth0', label: 'eth0:1' }],
    })
    expect(config.services[0]).toMatchObject({
      name: '10.0.0.100:80/TCP',
      scheduler: 'wrr',
      forwarding: 'DR',
      quorum: 1,
      hysteresis: 0,
      sorryServer: { address: '127.0.0.1', port: 80 },
      realServers: [
        {
          address: '10.0.0.11',
          weight: 3,
          checks: [
            {
              type: 'HTTP_GET',
              connectTimeout: 1500,
              retry: 2,
              delayBeforeRetry: 1000,
              delayLoop: 2000,
              warmup: 2000,
              urls: [{ path: '/', statusCode: '200' }],
            },
          ],
        },
        {
          weight: 1,
          inhibitOnFailure: false,
          checks: [{ type: 'TCP_CHECK', connectTimeout: 5000, retry: 1, delayBeforeRetry: 1000, urls: [] }],
        },
      ],
    })
    expect(config.services[0]?.persistence).toBeUndefined()
  })
})

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
      ' unicast_src_ip 10.0.0.2\n unicast_peer {\n 10.0.0.3\n ten\n }',
      'global_defs {\n vrrp_mcast_group4 224.0.0.99\n vrrp_version 2\n vrrp_startup_delay 2\n}',
    )
    expect(read).toMatchObject({ unicastPeers: ['10.0.0.3'], sourceAddress: '10.0.0.2', multicastGroup: '224.0.0.99' })
    expect(read.notices).toEqual(['7: ten is not an address; keepalived leaves this peer out'])
  })

  it('leaves out addresses that are none, and puts the others on the VMAC where there is one', () => {
    const read = instance(' use_vmac\n virtual_ipaddress {\n 10.0.0.300\n 10.0.0.1/33\n fe80::1/64\n }')
    expect(read.addresses).toMatchObject([{ address: 'fe80::1', prefix: 64, device: 'vrrp.51' }])
    expect(read.notices).toHaveLength(2)
  })

  it('refuses what keepalived does not start with', () => {
    const refuse = (text: string) => failure(() => read(text))
    expect(refuse('vrrp_instance V {\n virtual_router_id 1\n}')).toMatchObject({
      code: 'CONFIG_REFUSED',
      at: { line: 1 },
    })
    expect(refuse('vrrp_instance V {\n interface eth0\n virtual_router_id 256\n}').at?.line).toBe(3)
    expect(refuse(vrrp(' priority'))).toMatchObject({ code: 'CONFIG_REFUSED', at: { line: 4 } })
    expect(refuse(vrrp(' version 3')).message).toContain('no VIP')
  })
})

describe('virtual_server', () => {
  it("fills in keepalived's defaults, and says so", () => {
    const config = read(
      'virtual_server 10.0.0.100 80 {\n real_server 10.0.0.11 80 {\n HTTP_GET {\n url {\n path /\n }\n }\n }\n}',
    )
    expect(config.services[0]).toMatchObject({
      name: '10.0.0.100:80/UDP',
      scheduler: 'wlc',
      forwarding: 'NAT',
      realServers: [
        { checks: [{ delayLoop: 60_000, warmup: 60_000, connectTimeout: 5000, retry: 1, delayBeforeRetry: 3000 }] },
      ],
    })
    expect(messages(config)).toHaveLength(3)
  })

  it('lets a check inherit its timing from the server and the service', () => {
    const { service: read } = service(
      ' delay_loop 5\n connect_timeout 2\n retry 3\n delay_before_retry 0.5\n weight 7\n' +
        ' real_server 10.0.0.11 80 {\n delay_loop 1\n weight 2\n TCP_CHECK {\n retry 0\n }\n }\n' +
        ' real_server 10.0.0.12 80 {\n TCP_CHECK {\n }\n }',
    )
    expect(read?.realServers).toMatchObject([
      { weight: 2, checks: [{ delayLoop: 1000, connectTimeout: 2000, retry: 0, delayBeforeRetry: 500, warmup: 1000 }] },
      { weight: 7, checks: [{ delayLoop: 5000, retry: 3 }] },
    ])
  })

  it('does not know nb_get_retry in a TCP_CHECK', () => {
    const { service: read, notices } = service(' real_server 10.0.0.11 80 {\n TCP_CHECK {\n nb_get_retry 4\n }\n }')
    expect(read?.realServers[0]?.checks[0]?.retry).toBe(1)
    expect(notices).toEqual(['7: nb_get_retry is not known in TCP_CHECK; keepalived ignores it'])
  })

  it('reads 10s as 10, as keepalived does', () => {
    const { service: read, notices } = service(' delay_loop 10s\n real_server 10.0.0.11 80 {\n TCP_CHECK {\n }\n }')
    expect(read?.realServers[0]?.checks[0]?.delayLoop).toBe(10_000)
    expect(notices).toEqual(['5: delay_loop 10s is not a number; keepalived reads 10'])
  })

  it("forces the service's port on the servers of DR, and leaves that of NAT", () => {
    const dr = service(' real_server 10.0.0.11 8080 {\n }')
    expect(dr.service?.realServers[0]?.port).toBe(80)
    expect(dr.notices[0]).toContain('8080')
    expect(service(' lvs_method NAT\n real_server 10.0.0.11 8080 {\n }').service?.realServers[0]?.port).toBe(8080)
  })

  it('reads a service on a firewall mark', () => {
    const four = service(' real_server 10.0.0.11 {\n }', 'fwmark 50').service
    expect(four).toMatchObject({ name: 'fwmark 50', fwmark: 50 })
    expect(four?.family).toBeUndefined()
    expect(service(' real_server 2001:db8::11 {\n }', 'fwmark 50').service?.family).toBe(6)
  })

  it('clears ports and protocol of a firewall mark, and says where a check is left without a port', () => {
    const check = (lines: string) => ` TCP_CHECK {\n${lines}\n }\n}`
    const typed = service(` real_server 10.0.0.11 80 {\n${check('')}`, 'fwmark 50')
    expect(typed.service).toMatchObject({ protocol: 'TCP', realServers: [{ port: 0 }] })
    expect(typed.notices).toEqual([
      '2: a firewall mark has no protocol; keepalived ignores the line',
      '5: real_server 10.0.0.11 has port 80; a firewall mark has none, so keepalived clears it',
    ])
    const portless = service(` real_server 10.0.0.11 {\n${check('')}`, 'fwmark 50')
    expect(portless.notices[1]).toBe('5: TCP_CHECK of real_server 10.0.0.11 has no port, and fails; say connect_port')
    expect(service(` real_server 10.0.0.11 {\n${check('connect_port 80')}`, 'fwmark 50').notices).toHaveLength(1)
  })

  it('reads flags, thresholds and the persistence engine', () => {
    const server = ' real_server 10.0.0.11 80 {\n uthreshold 100\n lthreshold 50\n }'
    const { service: read, notices } = service(` ops\n flag-1\n sh-port\n persistence_engine sip\n${server}`)
    expect(read).toMatchObject({
      schedulerFlags: ['flag-1'],
      persistenceEngine: 'sip',
      realServers: [{ upperThreshold: 100, lowerThreshold: 50 }],
    })
    expect(notices).toEqual([
      '7: sh-port is of the scheduler sh; keepalived ignores it with rr',
      '5: one-packet scheduling is for UDP; keepalived goes without it',
    ])
    expect(read?.onePacket).toBeUndefined()
    expect(service(` ops\n${server}`, 'fwmark 5').service?.onePacket).toBe(true)
  })

  it('reads persistence, and 360 s where no value stands', () => {
    const server = '\n real_server 10.0.0.11 80 {\n }'
    expect(service(` persistence_timeout 50${server}`).service?.persistence).toBe(50_000)
    expect(service(` persistence_timeout${server}`).service?.persistence).toBe(360_000)
    const zero = service(` persistence_timeout 0${server}`)
    expect(zero.service?.persistence).toBeUndefined()
    expect(zero.notices).toHaveLength(1)
  })

  it('reads the networks whose clients count as one', () => {
    const server = '\n real_server 10.0.0.11 80 {\n }'
    const prefix = (mask: string) => service(` persistence_timeout 50\n persistence_granularity ${mask}${server}`)
    expect(prefix('255.255.255.0').service?.persistencePrefix).toBe(24)
    expect(prefix('255.0.255.0').service?.persistencePrefix).toBeUndefined()
    expect(prefix('255.0.255.0').notices).toHaveLength(1)
  })

  it('cuts quorum and hysteresis to what can be reached', () => {
    const { service: read, notices } = service(' quorum 5\n hysteresis 9\n real_server 10.0.0.11 80 {\n weight 2\n }')
    expect(read).toMatchObject({ quorum: 2, hysteresis: 1 })
    expect(notices).toHaveLength(2)
  })

  it('says what it leaves out', () => {
    const read = service(
      ' lvs_sched fastest\n lvs_method FNAT\n real_server 10.0.0.x 80 {\n }\n' +
        ' real_server 10.0.0.11 80 {\n }\n'.repeat(2),
    )
    expect(read.service).toMatchObject({ scheduler: 'rr', forwarding: 'DR' })
    expect(read.service?.realServers).toHaveLength(1)
    expect(read.notices).toHaveLength(4)
    expect(service('')).toMatchObject({ service: undefined, notices: [expect.stringContaining('no real servers')] })
  })
})

describe('the family of a server', () => {
  const servers = (lines: string, head?: string) => {
    const { service: its, notices } = service(lines, head)
    return { addresses: its?.realServers.map(one => one.address), sorry: its?.sorryServer?.address, notices }
  }
  const SIX = ' real_server fd00::a 80 {\n }'

  it('is that of its service, unless TUN carries the one in the other', () => {
    const kept = ' real_server 10.0.0.11 80 {\n }'
    expect(servers(`${kept}\n${SIX}`)).toEqual({
      addresses: ['10.0.0.11'],
      sorry: undefined,
      notices: ['7: real_server fd00::a is not of the family of the service; keepalived leaves it out'],
    })
    expect(servers(SIX).addresses).toBeUndefined()
    expect(servers(` lvs_method TUN\n${SIX}`)).toMatchObject({ addresses: ['fd00::a'], notices: [] })
    expect(servers(SIX.replace('{', '{\n lvs_method TUN'))).toMatchObject({ addresses: ['fd00::a'], notices: [] })
  })

  it('is judged by the method that stands before it', () => {
    expect(servers(`${SIX}\n lvs_method TUN`).addresses).toBeUndefined()
  })

  it('of a firewall mark is what ip_family says, or what its first server has', () => {
    const both = ' real_server 10.0.0.11 {\n }\n real_server fd00::a {\n }'
    expect(servers(both, 'fwmark 7').addresses).toEqual(['10.0.0.11'])
    expect(servers(` ip_family inet6\n${both}`, 'fwmark 7').addresses).toEqual(['fd00::a'])
  })

  it('is that of a sorry server as well', () => {
    const sorry = ` sorry_server fd00::9 80\n real_server 10.0.0.11 80 {\n }`
    expect(servers(sorry)).toMatchObject({
      sorry: undefined,
      notices: ['5: sorry_server fd00::9 is not of the family of the service; keepalived goes without it'],
    })
    expect(servers(`${sorry}\n sorry_server_lvs_method TUN`)).toMatchObject({ sorry: 'fd00::9', notices: [] })
  })
})

it('makes a service on all ports persistent, and says so where nobody asked for it', () => {
  const all = (line: string) => {
    const { service: its, notices } = service(`${line}\n real_server 10.0.0.11 {\n }`, '10.0.0.100')
    return { persistence: its?.persistence, said: notices.filter(one => one.includes('all ports')) }
  }
  const said = ['1: virtual_server 10.0.0.100:0/TCP is for all ports, and not persistent; keepalived takes 360 s']
  expect(all('')).toEqual({ persistence: 360_000, said })
  expect(all(' persistence_timeout 0')).toEqual({ persistence: 360_000, said })
  expect(all(' persistence_timeout')).toEqual({ persistence: 360_000, said: [] })
  expect(all(' persistence_timeout 50')).toEqual({ persistence: 50_000, said: [] })
})

it('takes weights as large as the kernel does', () => {
  const weights = (lines: string) => service(lines).service?.realServers.map(one => one.weight)
  expect(weights(' real_server 10.0.0.11 80 {\n weight 2147483647\n }')).toEqual([2_147_483_647])
  expect(weights(' weight 70000\n real_server 10.0.0.11 80 {\n weight 2147483648\n }')).toEqual([70_000])
  expect(weights(' weight 0\n real_server 10.0.0.11 80 {\n }')).toEqual([1])
})

it('does not look at what follows the / of a peer', () => {
  const read = instance(' unicast_peer {\n 10.0.0.3/24\n 10.0.0.4/a\n 10.0.0.300/24\n }')
  expect(read.unicastPeers).toEqual(['10.0.0.3', '10.0.0.4'])
  expect(read.notices).toEqual(['7: 10.0.0.300/24 is not an address; keepalived leaves this peer out'])
})

describe('virtual_server_group', () => {
  const group = (entries: string, lines = '', server = '10.0.0.11 8080') => {
    const text = `virtual_server group WEB {\n protocol TCP\n lvs_sched rr\n${lines}\n real_server ${server} {\n }\n}`
    const config = read(`${text}\nvirtual_server_group WEB {\n${entries}\n}`)
    return { names: config.services.map(one => one.name), services: config.services, notices: messages(config) }
  }

  it('is a service for each address and mark, as IPVS has them', () => {
    const { names, services, notices } = group('10.0.0.1 8080\n10.0.0.3-5 80\nfwmark 7 inet6', ' lvs_method NAT')
    expect(names).toEqual(['10.0.0.1:8080/TCP', '10.0.0.3:80/TCP', '10.0.0.4:80/TCP', '10.0.0.5:80/TCP', 'fwmark 7'])
    expect(services[2]).toMatchObject({ group: 'WEB', address: '10.0.0.4', port: 80, realServers: [{ port: 8080 }] })
    expect(services[4]).toMatchObject({ group: 'WEB', fwmark: 7, family: 6, realServers: [{ port: 8080 }] })
    expect(services[2]?.at).toMatchObject({ line: 1 })
    expect(notices).toEqual([])
  })

  it('gives the servers of DR the port of each service', () => {
    const { services, notices } = group('10.0.0.1 80\n10.0.0.1 8080\nfwmark 7', ' lvs_method DR')
    expect(services.map(one => one.realServers[0]?.port)).toEqual([80, 8080, 0])
    expect(notices).toEqual([
      '5: real_server 10.0.0.11 has port 8080; DR cannot rewrite it, so keepalived takes 80',
      '5: real_server 10.0.0.11 has port 8080; a firewall mark has none, so keepalived clears it',
    ])
  })

  it('says which ports of the group DR cannot have, whichever stands first', () => {
    const notices = (entries: string, server?: string) => group(entries, ' lvs_method DR', server).notices
    expect(notices('10.0.0.1 8080\n10.0.0.1 443\n10.0.0.2 443')).toEqual([
      '5: real_server 10.0.0.11 has port 8080; DR cannot rewrite it, so keepalived takes 443',
    ])
    expect(notices('10.0.0.1 8080\n10.0.0.1 443', '10.0.0.11')).toEqual([])
    expect(
      notices('10.0.0.1 8080\n10.0.0.1 443', '10.0.0.11 8080 {\n lvs_method NAT\n }\n real_server 10.0.0.12'),
    ).toEqual([])
    expect(
      group('10.0.0.1 8080\n10.0.0.1 443', ' lvs_method DR\n sorry_server 10.0.0.9 8080', '10.0.0.11').notices,
    ).toEqual(['5: sorry_server 10.0.0.9 has port 8080; DR cannot rewrite it, so keepalived takes 443'])
  })

  it('reads every form of a range', () => {
    const names = (entries: string) => group(entries, ' lvs_method NAT').names.map(name => name.replace(/:80.TCP$/, ''))
    expect(names('10.0.0.254-10.0.1.1 80')).toEqual(['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1'])
    expect(names('10.0.0.4/30 80')).toEqual(['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.7'])
    expect(names('2001:db8::fffe-ffff 80')).toEqual(['[2001:db8::fffe]', '[2001:db8::ffff]'])
    expect(names('::ffff:10.0.0.1 80')).toEqual(['[::ffff:a00:1]'])
    expect(names('2001:db8::4/127 80')).toEqual(['[2001:db8::4]', '[2001:db8::5]'])
  })

  it('says which lines keepalived leaves out', () => {
    const bad = [
      '10.0.0.9-3 80',
      '10.0.0.3-999 80',
      '10.0.0.1/24 80',
      '10.0.0.1 x',
      'ten 80',
      'fwmark x',
      'fwmark 1 ip',
    ]
    const { names, notices } = group(['10.0.0.1 80', ...bad].join('\n'), ' lvs_method NAT')
    expect(names).toEqual(['10.0.0.1:80/TCP'])
    expect(notices.map(notice => Number(notice.split(':')[0]))).toEqual([10, 11, 12, 13, 14, 15, 16])
  })

  it('is left out with its service where keepalived does so', () => {
    const none = read('virtual_server group WEB {\n real_server 10.0.0.1 80 {\n }\n}')
    expect({ services: none.services, notices: messages(none) }).toEqual({
      services: [],
      notices: ['1: there is no virtual_server_group WEB; keepalived leaves the service out'],
    })
    expect(group('').notices[0]).toContain('virtual_server_group WEB is empty')
    expect(group('10.0.0.1 80\n::1 80\nfwmark 1').notices[0]).toContain('IPv4, IPv6 and a firewall mark of neither')
    expect(group('10.0.0.1 80\n}\nvirtual_server_group WEB {\n10.0.0.2 80', ' lvs_method NAT')).toMatchObject({
      names: ['10.0.0.1:80/TCP'],
      notices: ['11: virtual_server_group WEB stands twice; keepalived takes the first'],
    })
  })

  it('is one service that nobody predicts where it is too large', () => {
    const { services, notices } = group('10.0.0.0/16 80', ' lvs_method NAT')
    expect(services).toMatchObject([{ name: 'group WEB', group: 'WEB', realServers: [{ address: '10.0.0.11' }] }])
    expect(services[0]?.address).toBeUndefined()
    expect(notices).toEqual(['1: virtual_server_group WEB has more than 1024 addresses; it is not predicted'])
  })

  it('is persistent as a whole where one of its services is on all ports', () => {
    const { services } = group('10.0.0.1 80\n10.0.0.2', ' lvs_method NAT')
    expect(services.map(one => [one.port, one.persistence])).toEqual([
      [80, 360_000],
      [0, 360_000],
    ])
  })
})

describe('health checks', () => {
  const checks = (lines: string, above = ' delay_loop 4\n') => {
    const { service: read, notices } = service(`${above} real_server 10.0.0.11 80 {\n${lines}\n }`)
    return { checks: read?.realServers[0]?.checks, notices }
  }

  it("fills in keepalived's defaults, which differ", () => {
    const read = checks(
      'MISC_CHECK {\n misc_path /bin/chk\n }\n DNS_CHECK {\n }\n SMTP_CHECK {\n }\n UDP_CHECK {\n }\n PING_CHECK {\n }',
    )
    expect(read.notices).toEqual([])
    const common = { delayLoop: 4000, warmup: 4000, connectTimeout: 5000, alpha: false }
    expect(read.checks).toMatchObject([
      { ...common, type: 'MISC_CHECK', retry: 0, misc: { path: '/bin/chk', timeout: 4000, dynamic: false } },
      { ...common, type: 'DNS_CHECK', retry: 3, delayBeforeRetry: 4000, dns: { type: 'SOA', name: '' } },
      { ...common, type: 'SMTP_CHECK', retry: 1, smtp: { heloName: 'smtpchecker.keepalived.org' } },
      { ...common, type: 'UDP_CHECK', retry: 1, udp: { requireReply: false, minReplyLength: 0, maxReplyLength: 255 } },
      { ...common, type: 'PING_CHECK', retry: 1, delayBeforeRetry: 1000 },
    ])
  })

  it('reads what each of them knows', () => {
    const read = checks(
      'MISC_CHECK {\n misc_path "/bin/chk a"\n misc_timeout 7\n misc_dynamic\n delay_loop 9\n }\n' +
        'DNS_CHECK {\n type a\n name www.example.\n connect_port 5353\n }\n' +
        'UDP_CHECK {\n payload 70 69\n require_reply 7x\n min_reply_length 2\n }\n' +
        'TCP_CHECK {\n alpha\n connect_ip 10.0.0.99\n }',
    )
    expect(read.notices).toEqual([])
    expect(read.checks).toMatchObject([
      { misc: { path: '/bin/chk a', timeout: 7000, dynamic: true }, delayLoop: 9000 },
      { dns: { type: 'A', name: 'www.example' }, target: { port: 5353 } },
      { udp: { payload: '7069', requireReply: true, reply: '7x', minReplyLength: 2 } },
      { alpha: true, target: { address: '10.0.0.99' } },
    ])
  })

  it("gives a script the service's delay_loop, not its own, where it has no misc_timeout", () => {
    const read = checks('MISC_CHECK {\n misc_path /bin/chk\n delay_loop 1\n }')
    expect(read.checks).toMatchObject([{ delayLoop: 1000, misc: { timeout: 4000 } }])
  })

  it('takes each host of an SMTP_CHECK for a check, and the check itself where it has a connection', () => {
    const hosts = 'host {\n connect_ip 10.0.0.1\n }\n host {\n connect_port 2525\n connect_timeout 2\n }\n'
    const one = checks(`SMTP_CHECK {\n ${hosts} }`).checks
    expect(one).toMatchObject([
      { target: { address: '10.0.0.1' }, connectTimeout: 5000 },
      { target: { port: 2525 }, connectTimeout: 2000 },
    ])
    expect(checks(`SMTP_CHECK {\n connect_timeout 3\n ${hosts} }`).checks).toHaveLength(3)
  })

  it('says what does nothing', () => {
    expect(checks('MISC_CHECK {\n }').notices).toEqual([
      '7: this MISC_CHECK has no misc_path; keepalived leaves it out',
    ])
    expect(checks('UDP_CHECK {\n require_reply\n min_reply_length 3\n }').notices).toEqual([
      '9: min_reply_length needs a pattern after require_reply; keepalived does not look at the length',
    ])
    expect(checks('DNS_CHECK {\n type PTR\n name a..b\n }').notices).toHaveLength(2)
    expect(checks('TCP_CHECK {\n connect_ip there\n }').notices).toHaveLength(1)
  })

  it('reads alpha of a service, and the server or check that says otherwise', () => {
    const inner = ' alpha off\n TCP_CHECK {\n }\n PING_CHECK {\n alpha on\n }'
    expect(checks(inner, ' alpha\n').checks).toMatchObject([{ alpha: false }, { alpha: true }])
  })
})

describe('tracking', () => {
  it('leaves the own interface of an instance out, with its weight', () => {
    const read = instance(' track_interface {\n eth0 weight -20\n eth1 weight -30\n }')
    expect(read.trackInterfaces?.map(one => one.interface)).toEqual(['eth1'])
    expect(read.notices).toEqual([
      '5: eth0 is the interface of VI_1 itself; keepalived ignores the line with its weight -20',
    ])
  })

  const script = (lines = '') => `vrrp_script chk {\n script "/bin/chk a"\n${lines}\n}\n`

  it("fills in a script's defaults", () => {
    const read = instance(' track_script {\n chk\n }', script())
    expect(read.trackScripts).toMatchObject([
      { script: { command: '/bin/chk a', interval: 1000, timeout: 1000, rise: 1, fall: 1 }, weight: 0, reverse: false },
    ])
    expect(read.trackScripts?.[0]?.at).toMatchObject({ line: 5, column: 2 })
    expect(read.trackScripts?.[0]?.script.at).toMatchObject({ line: 8, column: 1 })
    expect(read).toMatchObject({ trackInterfaces: [], trackPrimary: true, notices: [] })
  })

  it('reads timing and weights, the weight of the script where the instance names none', () => {
    const lines = ' interval 2\n timeout 1.5\n rise 3\n fall 4\n weight -20 reverse\n'
    const read = instance(' track_script {\n chk\n }\n track_interface {\n eth1 weight 10\n eth2\n }', script(lines))
    expect(read.trackScripts).toMatchObject([
      { script: { interval: 2000, timeout: 1500, rise: 3, fall: 4 }, weight: -20, reverse: true },
    ])
    expect(read.trackInterfaces).toMatchObject([
      { interface: 'eth1', weight: 10 },
      { interface: 'eth2', weight: 0 },
    ])
    const own = instance(' track_script {\n chk weight 254 noreverse\n }', script(lines))
    expect(own.trackScripts).toMatchObject([{ weight: 253, reverse: false }])
    expect(own.notices).toEqual(['5: weight 254 is out of range; keepalived takes 253'])
  })

  it('says what keepalived leaves out', () => {
    const tracking = instance(' track_script {\n none\n chk\n chk\n }\n track_interface {\n eth1 wait 3\n }', script())
    expect(tracking.trackScripts).toHaveLength(1)
    expect(tracking.trackInterfaces).toEqual([])
    expect(tracking.notices).toEqual([
      '5: VI_1: there is no vrrp_script none; keepalived ignores the line',
      '7: VI_1 tracks chk already; keepalived ignores this line',
      '10: VI_1: eth1 wait is not "weight W"; keepalived leaves it out',
    ])
    expect(messages(read('vrrp_script chk {\n interval 1\n}'))).toEqual([
      '1: vrrp_script chk has no script; keepalived leaves it out',
    ])
  })

  it('says what the predictions do not know', () => {
    const read = instance(' dont_track_primary', 'static_routes {\n 10.9.0.0/16 dev eth0\n}')
    expect(read.trackPrimary).toBe(false)
    expect(read.notices).toEqual(['6: static_routes is obeyed by keepalived; the predictions do not know it'])
  })

  it('keeps files, processes and BFD sessions, with the weight of their definition', () => {
    const read = instance(
      ' track_file {\n f\n g weight 5 reverse\n none\n }\n track_process {\n p\n }\n track_bfd {\n b\n }',
      'track_file f {\n file "/run/f"\n weight -3\n}\nvrrp_track_file g {\n file /run/g\n}\n' +
        'vrrp_track_process p {\n process nginx -g x\n weight 10\n}\nbfd_instance b {\n neighbor_ip 10.0.0.3\n}',
    )
    expect(read.trackObjects).toMatchObject([
      { kind: 'file', name: 'f', of: '/run/f', weight: -3, reverse: false, at: { line: 5, column: 2 } },
      { kind: 'file', name: 'g', of: '/run/g', weight: 5, reverse: true },
      { kind: 'process', name: 'p', of: 'nginx -g x', weight: 10 },
      { kind: 'bfd', name: 'b', of: '10.0.0.3', weight: 0 },
    ])
    expect(read.notices?.filter(notice => notice.includes('VI_1'))).toEqual([
      '4: track_file of VI_1 is obeyed by keepalived; the predictions do not know it',
      '9: track_process of VI_1 is obeyed by keepalived; the predictions do not know it',
      '12: track_bfd of VI_1 is obeyed by keepalived; the predictions do not know it',
      '7: VI_1: there is no track_file none; keepalived ignores the line',
    ])
  })
})

describe('routes, rules and static addresses', () => {
  it('are kept as they are written, and said to be unpredicted', () => {
    const config = read(
      `${vrrp(' virtual_routes {\n 10.9.0.0/16 via 10.0.0.1 dev eth1\n }\n virtual_rules {\n from 10.9.0.0/16 table 5\n }')}
static_routes {\n 10.8.0.0/16 via 10.0.0.1\n}\nstatic_ipaddress {\n 10.0.0.7/24\n}\nstatic_rules {\n}`,
    )
    expect(config.instances[0]).toMatchObject({
      virtualRoutes: [{ words: ['10.9.0.0/16', 'via', '10.0.0.1', 'dev', 'eth1'], at: { line: 5, column: 2 } }],
      virtualRules: [{ words: ['from', '10.9.0.0/16', 'table', '5'] }],
    })
    expect(config.statics).toMatchObject({
      routes: [{ words: ['10.8.0.0/16', 'via', '10.0.0.1'] }],
      addresses: [{ address: '10.0.0.7', prefix: 24, device: 'eth0' }],
      rules: [],
    })
    expect(messages(config)).toHaveLength(5)
    expect(read(vrrp('')).statics).toBeUndefined()
  })
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

describe('a sync group', () => {
  const pair = `${vrrp('')}\n${vrrp('').replace('VI_1', 'VI_2').replace('51', '52')}`
  const groupsOf = (config: DirectorConfig) => config.instances.map(one => one.syncGroup)

  it('is on each of its members, wherever it stands', () => {
    const config = read(`vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n${pair}`)
    expect(groupsOf(config)).toEqual(['G', 'G'])
    expect(messages(config)).toEqual([])
    expect(groupsOf(read(pair))).toEqual([undefined, undefined])
  })

  it('leaves out what is no instance, or in another group, and says so', () => {
    const config = read(
      `vrrp_sync_group G {\n group {\n VI_1\n VI_9\n }\n}\nvrrp_sync_group H {\n group {\n VI_1 VI_2\n }\n}\n${pair}`,
    )
    expect(groupsOf(config)).toEqual(['G', 'H'])
    expect(messages(config)).toEqual([
      '4: VI_9 of vrrp_sync_group G is no vrrp_instance; keepalived leaves it out',
      '9: VI_1 is in vrrp_sync_group G already; keepalived leaves it there',
    ])
  })

  it('says what of it the predictions do not know, and what is not judged', () => {
    const lines = ' track_script {\n chk\n }\n notify_master "/bin/true"'
    const config = read(`${pair}\nvrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n${lines}\n}`)
    expect(messages(config)).toEqual([
      '16: track_script of G is obeyed by keepalived; the predictions do not know it',
      '19: whether keepalived runs the notify scripts of G is not judged',
    ])
  })
})

describe('include', () => {
  const part = (vrid: number) => `vrrp_instance VI_${vrid} {\n interface eth0\n virtual_router_id ${vrid}\n}\n`

  it('takes the files of an absolute pattern from the root, sorted, and leaves folders out', () => {
    const config = read('include /etc/keepalived/conf.d/*.conf\n', {
      'etc/keepalived/conf.d/b.conf': part(2),
      'etc/keepalived/conf.d/a.conf': part(1),
      'etc/keepalived/conf.d/C.conf': part(3),
      'etc/keepalived/conf.d/.hidden.conf': part(9),
      'etc/keepalived/conf.d/dir.conf/x': part(9),
    })
    expect(config.instances.map(one => one.virtualRouterId)).toEqual([3, 1, 2])
    expect(config.files.map(file => file.split('/').at(-1))).toEqual(['keepalived.conf', 'C.conf', 'a.conf', 'b.conf'])
  })

  it("starts a relative pattern at the including file's folder, inside a block too", () => {
    const config = read(`include sub/one.conf`, {
      'etc/keepalived/sub/one.conf': vrrp(' include {two,three}.inc'),
      'etc/keepalived/sub/two.inc': 'priority 120\n',
      'etc/keepalived/sub/three.inc': 'advert_int 2\n',
    })
    expect(config.instances[0]).toMatchObject({ priority: 120, advertInterval: 2000 })
  })

  it('goes on without files that are not there, or that have an execute bit, and says so', () => {
    const root = rootWith({ [MAIN]: 'include /etc/none/*.conf\ninclude x.conf', 'etc/keepalived/x.conf': part(1) })
    chmodSync(join(root, 'etc/keepalived/x.conf'), 0o755)
    const config = readDirector({ node: 'd1', root })
    expect(config.instances).toEqual([])
    expect(config.notices.map(notice => notice.at.line)).toEqual([1, 2])
  })

  it.each([
    ['include ../../../etc/passwd', 'CONFIG_INCLUDE_OUTSIDE'],
    ['include /../x', 'CONFIG_INCLUDE_OUTSIDE'],
    ['include keepalived.conf', 'CONFIG_INCLUDE_LOOP'],
  ])('refuses %s', (text, code) => {
    expect(failure(() => read(text))).toMatchObject({ code, exitCode: 2, at: { line: 1, column: 9 } })
  })

  it('refuses a symbolic link out of the root', () => {
    const root = rootWith({ [MAIN]: 'include out.conf' })
    symlinkSync('/etc/hostname', join(root, 'etc/keepalived/out.conf'))
    expect(failure(() => readDirector({ node: 'd1', root })).code).toBe('CONFIG_INCLUDE_OUTSIDE')
  })

  it('refuses a main file that is itself such a link', () => {
    const root = rootWith({ 'etc/keepalived/other.conf': '' })
    symlinkSync('/etc/hostname', join(root, MAIN))
    expect(failure(() => readDirector({ node: 'd1', root })).code).toBe('CONFIG_INCLUDE_OUTSIDE')
  })

  it('names the included file in the position of an error', () => {
    const error = failure(() => read('include a.conf', { 'etc/keepalived/a.conf': '\n}' }))
    expect(error.code).toBe('CONFIG_UNBALANCED')
    expect(error.at).toMatchObject({ line: 2, column: 1 })
    expect(error.at?.file).toMatch(/a\.conf$/)
  })

  it('says where a file should be that is not there', () => {
    const root = rootWith({ 'etc/x': '' })
    expect(failure(() => readDirector({ node: 'd1', root }))).toMatchObject({ code: 'CONFIG_NOT_FOUND', exitCode: 2 })
  })
})
