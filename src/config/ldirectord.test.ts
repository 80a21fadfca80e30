import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readLdirectord } from './ldirectord.ts'

const read = (text: string) => readLdirectord(text, 'ldirectord.cf')
const messages = (text: string): string[] =>
  read(text).notices.map(({ at, message }) => `${at.line}:${at.column} ${message}`)
const section = (lines: string, head = 'virtual=10.0.0.100:80') => {
  const config = read(`${head}\n${lines.replace(/^(?=.)/gm, '\t')}`)
  return {
    ...config.services[0],
    notices: config.notices.map(({ at, message }) => `${at.line}:${at.column} ${message}`),
  }
}

describe('an ldirectord.cf', () => {
  it('is read as its own example stands', () => {
    const config = read(`# Global Directives
checktimeout=3
checkinterval=1
autoreload=yes
#logfile="/var/log/ldirectord.log"
quiescent=no

# Sample for an http virtual service
virtual=192.168.6.240:80
\tservicename=Web Site
\tcomment=Test load balanced web site
\treal=192.168.6.2:80 gate
\treal=192.168.6.3:80 gate 5
\tfallback=127.0.0.1:80 gate
\tservice=http
\tscheduler=rr
\t#persistent=600
\tprotocol=tcp
\tchecktype=negotiate
\tcheckport=80
\trequest="index.html"
\treceive="Test Page"
\tvirtualhost=www.x.y.z
`)
    expect(config.notices).toEqual([])
    expect(config).toMatchObject({
      global: { checkTimeout: 3000, interval: 1000, quiescent: false },
      fork: false,
      others: [{ words: ['autoreload', 'yes'], at: { line: 4, column: 1 } }],
    })
    const [web] = config.services
    expect(web).toMatchObject({
      service: {
        name: '192.168.6.240:80/TCP',
        scheduler: 'rr',
        forwarding: 'DR',
        sorryServer: { address: '127.0.0.1', port: 80 },
        realServers: [
          { address: '192.168.6.2', port: 80, weight: 1, at: { line: 12, column: 2 } },
          { address: '192.168.6.3', weight: 5 },
        ],
      },
      checkType: 'negotiate',
      protocol: 'http',
      checkPort: 80,
      virtualHost: 'www.x.y.z',
      asked: [{ request: '/index.html', receive: 'Test Page' }, { request: '/index.html' }],
      fallback: { address: '127.0.0.1', port: 80, forwarding: 'DR' },
      others: [
        { words: ['servicename', 'Web', 'Site'] },
        { words: ['comment', 'Test', 'load', 'balanced', 'web', 'site'] },
      ],
    })
  })

  it('has services on marks and on IPv6, and servers of every kind', () => {
    const mark = section(
      'real=10.0.0.11->10.0.0.13 masq 2\nreal=10.0.0.20:8080 masq 3 "a", "b" l:5 u:9\nprotocol=fwm',
      'virtual = 7',
    )
    expect(mark.service).toMatchObject({ name: 'fwmark 7', fwmark: 7, scheduler: 'wrr', forwarding: 'NAT' })
    expect(mark.service?.realServers.map(one => `${one.address}:${one.port} ${one.weight}`)).toEqual([
      '10.0.0.11:0 2',
      '10.0.0.12:0 2',
      '10.0.0.13:0 2',
      '10.0.0.20:8080 3',
    ])
    expect(mark.asked?.[3]).toMatchObject({
      request: '/a',
      receive: 'b',
      server: { lowerThreshold: 5, upperThreshold: 9 },
    })
    expect(mark.notices).toEqual([])
    const six = section(
      'real6=[2001:db8::11]:http gate\nfallback6=[::1]\npersistent=60\nnetmask=64',
      'virtual6=[2001:db8::1]:http',
    )
    expect(six).toMatchObject({
      service: {
        name: '[2001:db8::1]:80/TCP',
        persistence: 60_000,
        persistencePrefix: 64,
        sorryServer: { address: '::1' },
      },
      notices: [],
    })
    expect(section('ops=yes', 'virtual=10.0.0.1:53').service).toMatchObject({ protocol: 'UDP', onePacket: true })
  })

  it('takes the global fallback where a section has none', () => {
    const [service] = read('fallback=127.0.0.1:8080 masq\nfallback6=[::1]:80\nvirtual=10.0.0.1:80\n').services
    expect(service?.fallback).toEqual({ address: '127.0.0.1', port: 8080, forwarding: 'NAT' })
  })

  it('keeps the timing of each section, and says where it does not count', () => {
    const text = (fork: string) =>
      `fork=${fork}\nfailurecount=3\nvirtual=10.0.0.1:80\n    checktype=connect\n    checkinterval=2\n    negotiatetimeout=4\n`
    const [no, yes] = [read(text('no')), read(text('yes'))]
    expect(yes).toMatchObject({ fork: true, global: { failureCount: 3 }, notices: [] })
    expect(yes.services).toMatchObject([{ checkType: 'connect', interval: 2000, negotiateTimeout: 4000 }])
    expect(no.notices.map(one => one.message)).toEqual([
      'checkinterval of 10.0.0.1:80/TCP is ignored, as fork is not yes',
    ])
    const external = read('virtual=10.0.0.1:80\n\tchecktype=external\n\tcheckcommand="/bin/check"\n')
    expect(external.services[0]).toMatchObject({ checkType: 'external', command: '/bin/check' })
  })

  it('ends a section at an empty line, and at one that is not indented enough', () => {
    expect(messages('virtual=10.0.0.1:80\n\n\treal=10.0.0.2:80 gate\n')).toEqual([
      '3:2 "real" is unknown here; ldirectord does not start',
    ])
    expect(messages('virtual=10.0.0.1:80\n   scheduler=rr\n')).toHaveLength(1)
    expect(messages('virtual=10.0.0.1:80\n    # a comment\n# another\n    scheduler=rr # and one\n')).toEqual([])
  })

  it('has ports by name, aliases too', () => {
    const { service, notices } = section(
      'real=10.0.0.11:www gate\nfallback=10.0.0.12:www gate',
      'virtual=10.0.0.100:www',
    )
    expect({ ports: [service?.port, service?.realServers[0]?.port, service?.sorryServer?.port], notices }).toEqual({
      ports: [80, 80, 80],
      notices: [],
    })
  })

  it.for([
    ['checktimeut=3', '1:1 "checktimeut" is unknown here'],
    ['checkinterval=soon', '1:1 checkinterval = soon is not a number from 1 on'],
    ['checkinterval=5 s', '1:1 checkinterval = 5 s is not a number; ldirectord reads 5'],
    ['quiescent=maybe', '1:1 quiescent is neither yes nor no'],
    ['logfile=/var/log/x', '1:1 logfile needs a value in quotes'],
    ['virtual=www:80', '1:1 www would have to be looked up'],
    ['virtual=[::1]:80', '1:1 ::1 is no address of virtual'],
    ['virtual=10.0.0.1', '1:1 "10.0.0.1" has no port; ldirectord takes it for firewall mark 10'],
    ['virtual=10.0.0.1:80\n\tweight=3', '2:2 "weight" is unknown here'],
    ['virtual=10.0.0.1:80\n\treal=10.0.0.2:80 route', '2:2 "10.0.0.2:80 route" is no server with gate, masq or ipip'],
    ['virtual=10.0.0.1:80\n\treal=rs1:80 gate', '2:2 "rs1:80 gate" would have to be looked up'],
    ['virtual=10.0.0.1:80\n\treal=10.0.0.2:80 gate x', '2:2 "x" is not understood'],
    ['virtual=10.0.0.1:80\n\treal=10.0.0.9->10.0.0.2 gate', '2:2 "10.0.0.9->10.0.0.2 gate" is no range'],
    ['virtual=10.0.0.1:80\n\treal6=[::1]:80 gate', '2:2 real6 does not go with virtual'],
    ['virtual=10.0.0.1:80\n\tchecktype=guess', '2:2 checktype guess is not known'],
    ['virtual=10.0.0.1:80\n\tchecktype=4', '2:2 connecting and negotiating in turn is not predicted'],
    ['virtual=10.0.0.1:80\n\tservice=gopher', '2:2 service gopher is not known'],
    ['virtual=10.0.0.1:80\n\tprotocol=fwn', '2:2 protocol fwn does not go with this service'],
    ['virtual=10.0.0.1:80\n\trequest=index.html', '2:2 request needs a value in quotes'],
    ['virtual=10.0.0.1:80\nvirtual=10.0.0.1:80', '2:1 10.0.0.1:80/TCP is there twice'],
    ['virtual=10.0.0.1:80\n\tpersistent=0', '2:2 persistent 0 is no time; the kernel does not take the service'],
    [
      'virtual=10.0.0.1:80\n\tscheduler=fast',
      '2:2 fast is not a scheduler of Linux; the kernel does not take the service',
    ],
    ['virtual=10.0.0.1:80\n\treal=10.0.0.2:81 gate', '2:2 "10.0.0.2:81 gate" has port 81; DR cannot rewrite it'],
    [
      'virtual=10.0.0.1:80\n\treal=10.0.0.2:80 gate\n\treal=10.0.0.1->10.0.0.3:80 gate',
      '3:2 10.0.0.2 port 80 stands twice in the section; the table has it once',
    ],
    [`comment=${'x'.repeat(3000)}`, '1:1 the line is longer than 2000 characters'],
  ])('says what is wrong with %j', ([text = '', message = '']) => {
    const found = messages(`${text}\n`)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(message)
  })

  it('never shows a password', () => {
    const config = section('login="u"\npasswd="s3cret"\nsecret=s3cret')
    expect(config.notices).toHaveLength(1)
    for (const line of ['paswd="s3cret"', 'paswd s3cret'])
      expect(section(line).notices).toEqual([expect.stringContaining('"paswd" is unknown')])
    expect(JSON.stringify(config)).not.toContain('s3cret')
  })

  it('ends on any text', () => {
    const words =
      'virtual=10.0.0.1:80 virtual6=[::1]:80 virtual=5 real=10.0.0.2 gate masq " , -> \t \n \n\t checktype= 1 = # fallback=x:y \0'
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words.split(' '), ' ', '\n    '), { maxLength: 30 }), parts => {
        expect(() => read(parts.join(''))).not.toThrow()
      }),
    )
  })
})
