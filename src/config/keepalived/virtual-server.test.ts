import { describe, expect, it } from 'vitest'
import { messages, read, service } from './testing.ts'

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

  it('takes the address before a prefix, of the service, its servers and their checks', () => {
    const { service: read, notices } = service(
      ' sorry_server 10.0.0.16/24 80\n real_server 10.0.0.11/24 80 {\n TCP_CHECK {\n connect_ip 10.0.0.12/24\n bindto 10.0.0.1/24\n }\n }',
      '10.0.0.100/24 80',
    )
    expect(read).toMatchObject({
      name: '10.0.0.100:80/TCP',
      sorryServer: { address: '10.0.0.16' },
      realServers: [{ address: '10.0.0.11', checks: [{ target: { address: '10.0.0.12' } }] }],
    })
    expect(notices).toEqual([])
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

  it('reads what a tunnel is, of the service and of a server', () => {
    const read = (lines: string) =>
      service(`${lines}\n }\n real_server 10.0.0.12 80 {\n }`).service?.realServers.map(one => one.tunnel)
    const gue = { type: 'gue', port: 6080, checksum: 'nocsum' }
    expect(read(' lvs_method TUN type gue port 6080 nocsum\n real_server 10.0.0.11 80 {')).toEqual([gue, gue])
    const own = ' lvs_method TUN type gue port 6080 nocsum\n real_server 10.0.0.11 80 {\n'
    expect(read(`${own} lvs_method TUN type gre csum`)).toEqual([{ type: 'gre', checksum: 'csum' }, gue])
    expect(read(`${own} lvs_method TUN`)).toEqual([undefined, gue])
    expect(read(`${own} lvs_method DR`)).toEqual([undefined, gue])
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

  it.each([
    ['UDP_CHECK {\n require_reply\n }', 'has no port, and fails'],
    ['UDP_CHECK {\n }', 'has no port, and passes only where nothing answers'],
    ['DNS_CHECK {\n }', 'has no port, and fails'],
    ['SMTP_CHECK {\n }', 'has no port, and fails'],
  ])('gives no check a port of its own: %s', (check, what) => {
    const { notices } = service(` real_server 10.0.0.11 {\n ${check}\n }`, 'fwmark 50')
    expect(notices[1]).toBe(`5: ${check.split(' ')[0]} of real_server 10.0.0.11 ${what}; say connect_port`)
  })

  it('needs no port for a ping or a script', () => {
    const checks = 'PING_CHECK {\n }\n MISC_CHECK {\n misc_path /bin/chk\n }'
    expect(service(` real_server 10.0.0.11 {\n ${checks}\n }`, 'fwmark 50').notices).toHaveLength(1)
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
    expect(service(' quorum 3000000000\n real_server 10.0.0.11 80 {\n weight 2\n }').service?.quorum).toBe(2)
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
        'TCP_CHECK {\n alpha\n connect_ip 10.0.0.99\n bindto 10.0.0.2/24\n }',
    )
    expect(read.notices).toEqual([])
    expect(read.checks).toMatchObject([
      { misc: { path: '/bin/chk a', timeout: 7000, dynamic: true }, delayLoop: 9000 },
      { dns: { type: 'A', name: 'www.example' }, target: { port: 5353 } },
      { udp: { payload: '7069', requireReply: true, reply: '7x', minReplyLength: 2 } },
      { alpha: true, target: { address: '10.0.0.99' }, sourceAddress: '10.0.0.2' },
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
