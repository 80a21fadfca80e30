import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type IpvsadmRules, readIpvsadm } from './ipvsadm.ts'

const read = (text: string): IpvsadmRules => readIpvsadm(text, 'ipvsadm.rules')
const messages = (text: string): string[] =>
  read(text).notices.map(({ at, message }) => `${at.line}:${at.column} ${message}`)
const topologies = path.join(import.meta.dirname, '../../topologies')

describe('what ipvsadm-save writes', () => {
  it('is services with their servers', () => {
    const { services, notices } = read(
      '-A -t 10.0.0.100:http -s wrr -p 50 -M 255.255.255.0 -b flag-1,flag-2\n' +
        '-a -t 10.0.0.100:http -r 10.0.0.11:http -g -w 3\n-a -t 10.0.0.100:80 -r 10.0.0.12:8080 -g -w 0\n' +
        '-A -u 10.0.0.100:53 -s rr -o --pe sip\n-a -u 10.0.0.100:53 -r 10.0.0.11:5353 -m -w 1\n' +
        '-A -f 50 -s sh -b sh-port\n-a -f 50 -r 10.0.0.11:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum\n' +
        '-A -f 50 -6 -s rr\n-A -t [2001:db8::1]:443 -s mh -p 60 -M 64\n-a -t [2001:db8::1]:443 -r [2001:db8::11]:443 -g\n',
    )
    expect(notices.map(one => one.message)).toEqual([
      '10.0.0.12:8080 has another port than the service; DR cannot rewrite it, and ipvsadm takes 80',
    ])
    expect(services).toMatchObject([
      {
        name: '10.0.0.100:80/TCP',
        scheduler: 'wrr',
        persistence: 50_000,
        persistencePrefix: 24,
        schedulerFlags: ['flag-1', 'flag-2'],
        forwarding: 'DR',
        realServers: [
          { address: '10.0.0.11', port: 80, weight: 3, forwarding: 'DR' },
          { address: '10.0.0.12', port: 80, weight: 0 },
        ],
      },
      {
        name: '10.0.0.100:53/UDP',
        onePacket: true,
        persistenceEngine: 'sip',
        forwarding: 'NAT',
        realServers: [{ port: 5353 }],
      },
      {
        name: 'fwmark 50',
        fwmark: 50,
        schedulerFlags: ['sh-port'],
        forwarding: 'TUN',
        realServers: [{ port: 0, tunnel: { type: 'gue', port: 6080, checksum: 'nocsum' } }],
      },
      { name: 'fwmark 50', family: 6, realServers: [] },
      {
        name: '[2001:db8::1]:443/TCP',
        persistencePrefix: 64,
        realServers: [{ address: '2001:db8::11', port: 443, weight: 1 }],
      },
    ])
    expect(services[0]?.at).toEqual({ file: 'ipvsadm.rules', line: 1, column: 1 })
    expect(services[0]?.realServers[1]?.at).toMatchObject({ line: 3 })
  })

  it.for(['ipvsadm-dr', 'ipvsadm-tun', 'ipvsadm-fullnat'])('is read as it stands in topologies/%s', name => {
    const file = path.join(topologies, name, 'd1/etc/ipvsadm.rules')
    const { services, notices } = readIpvsadm(readFileSync(file, 'utf8'), file)
    expect(notices).toEqual([])
    expect(services).toHaveLength(1)
    expect(services[0]?.realServers).toHaveLength(2)
  })
})

describe('what operators type', () => {
  it('may have long options, values without a blank, and the name of the program', () => {
    const { services, notices } = read(
      'ipvsadm --add-service --tcp-service 10.0.0.100:80 --scheduler=wlc --persistent\n' +
        'ipvsadm -a -t 10.0.0.100:80 -r10.0.0.11 -w=5 -x 100 -y50 --masquerading\n\n  -C\n-At 10.0.0.1:80\n',
    )
    expect(notices).toEqual([])
    expect(services).toMatchObject([{ name: '10.0.0.1:80/TCP', scheduler: 'wlc' }])
  })

  it('has the defaults of ipvsadm', () => {
    const [service] = read('-A -t 10.0.0.1:80 -p\n-a -t 10.0.0.1:80 -r 10.0.0.11 -x 9 -y 3 -m').services
    expect(service).toMatchObject({
      scheduler: 'wlc',
      persistence: 360_000,
      realServers: [{ port: 80, weight: 1, upperThreshold: 9, lowerThreshold: 3, forwarding: 'NAT' }],
    })
  })

  it('may edit and delete, set timeouts and start daemons', () => {
    const rules = read(
      '-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.11\n-a -t 10.0.0.1:80 -r 10.0.0.12\n-e -t 10.0.0.1:80 -r 10.0.0.12 -w 7\n' +
        '-d -t 10.0.0.1:80 -r 10.0.0.11\n-E -t 10.0.0.1:80 -s rr\n-A -u 10.0.0.1:53\n-D -u 10.0.0.1:53\n' +
        '--set 900 120 300\n--start-daemon master --mcast-interface eth1 --syncid 3\n--start-daemon=backup\n--stop-daemon backup',
    )
    expect(rules).toMatchObject({
      services: [{ name: '10.0.0.1:80/TCP', scheduler: 'rr', realServers: [{ address: '10.0.0.12', weight: 7 }] }],
      timeouts: { tcp: 900_000, tcpFin: 120_000, udp: 300_000 },
      syncDaemons: [{ state: 'master', interface: 'eth1', syncId: 3 }],
      notices: [],
    })
    expect(rules.services).toHaveLength(1)
  })

  it('is left out where the kernel refuses it', () => {
    const text =
      '-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n-a -t 10.0.0.2:80 -r 10.0.0.11\n-D -t 10.0.0.2:80\n-A -t 10.0.0.3:80'
    expect(messages(text)).toEqual([
      '2:1 10.0.0.1:80/TCP is already there; the kernel refuses it',
      '3:1 10.0.0.2:80/TCP is not there; the kernel refuses it',
      '4:1 10.0.0.2:80/TCP is not there; the kernel refuses it',
    ])
    expect(read(text).services).toHaveLength(2)
    const unknown = '-A -t 10.0.0.1:80 -s fast\n-A -t 10.0.0.2:80 -s rr'
    expect(messages(unknown)).toEqual(['1:19 fast is not a scheduler of Linux; the kernel refuses it'])
    expect(read(unknown).services).toHaveLength(1)
  })

  it.for([
    ['# a comment', '1:1 # is no command'],
    ['-t 10.0.0.1:80', '1:1 -t is no command'],
    ['-A -t 10.0.0.1:80 -w 1', '1:19 -w does not go with -A'],
    ['-A -t 10.0.0.1:80 -s rr -s rr', '1:25 -s is there twice'],
    ['-A -t 10.0.0.1:80 --fast', '1:19 ipvsadm has no option --fast'],
    ['-A -t 10.0.0.1:80 -q', '1:19 ipvsadm has no option -q'],
    ['-A -t 10.0.0.1:80 rr', '1:19 rr is no option'],
    ['-A -t', '1:4 -t needs a value'],
    ['-A -t 10.0.0.1:80 -u 10.0.0.1:80', '1:19 there is a second service'],
    ['-A -s rr', '1:1 -A needs a service'],
    ['-A -t 10.0.0.1', '1:1 10.0.0.1:0/TCP is on all ports, and needs -p'],
    ['-A -t www:80', '1:4 www:80 is not an address'],
    ['-A -t 10.0.0.1:gopher9', '1:4 gopher9 is not a port'],
    ['-A -f 0', '1:4 firewall mark 0 is not a number'],
    ['-A -t 10.0.0.1:80 -6', '1:19 -6 goes with -f alone'],
    ['-A -t 10.0.0.1:80 -o', '1:19 -o is for UDP alone'],
    ['-A -t 10.0.0.1:80 -s rr -b sh-port', '1:25 rr has no flag sh-port'],
    ['-A -t 10.0.0.1:80 -p 0', '1:19 -p 0 is not a number'],
    ['-A -t 10.0.0.1:80 -M 24', '1:19 -M 24 is not a netmask'],
    ['-a -t 10.0.0.1:80', '1:1 -a needs a real server'],
    ['-a -t 10.0.0.1:80 -r 10.0.0.2 -m -g', '1:34 there is a second forwarding method'],
    ['-a -t 10.0.0.1:80 -r 10.0.0.2 --tun-type gre', '1:31 tunnel options go with -i alone'],
    ['-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type vxlan', '1:34 vxlan is no type of tunnel'],
    ['-a -t 10.0.0.1:80 -r [::1]:80', '1:19 service and server are of different families'],
    ['-a -t 10.0.0.1:80 -r 10.0.0.2 -w 65536', '1:31 --weight 65536 is not a number'],
    ['--set 1 2', '1:1 --set needs three timeouts'],
    ['--start-daemon slave', '1:1 --start-daemon is master or backup'],
  ])('ends at %j', ([line, message]) => {
    const found = messages(`${line}\n-A -t 10.0.0.9:80`)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(message)
    expect(found[0]).toContain('ipvsadm ends here')
    expect(read(`${line}\n-A -t 10.0.0.9:80`).services).toEqual([])
  })

  it('ends on any text, with rules and notices', () => {
    const unit = fc.constantFrom(
      ...'-A -a -t -r -f -w -p -s -6 -- = 10.0.0.1:80 [::1]:80 rr 1 0 # \n \0'.split(' '),
      ' ',
      '\n',
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 30 }), parts => {
        expect(() => read(parts.join(' '))).not.toThrow()
      }),
    )
  })
})
