import { chmodSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DirectorConfig } from '../../model/types.ts'
import { readDirector } from './director.ts'
import { failure, instance, MAIN, messages, read, rootWith, service, vrrp } from './testing.ts'

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

it('does not look at what follows the / of a peer', () => {
  const read = instance(' unicast_peer {\n 10.0.0.3/24\n 10.0.0.4/a\n 10.0.0.300/24\n }')
  expect(read.unicastPeers).toEqual(['10.0.0.3', '10.0.0.4'])
  expect(read.notices).toEqual(['7: 10.0.0.300/24 is not an address; keepalived leaves this peer out'])
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
