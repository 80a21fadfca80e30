import { chmodSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDirector } from './director.ts'
import { failure, instance, MAIN, messages, read, rootWith, vrrp } from './testing.ts'

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

  it('are predicted where each address is that of a service', () => {
    const served = 'virtual_server 10.0.0.7 80 {\n protocol TCP\n}\n'
    const notices = (more = '') => messages(read(`static_ipaddress {\n 10.0.0.7/24\n${more}}\n${served}`)).join('\n')
    expect(notices()).not.toContain('the predictions')
    expect(notices(' 10.0.0.8/24\n')).toContain('1: static_ipaddress is obeyed')
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

  it('refuses one that leads to what is not here: the node may have it', () => {
    const root = rootWith({ [MAIN]: 'include *.part' })
    symlinkSync('/etc/lvslab-is-not-here', join(root, 'etc/keepalived/vip.part'))
    expect(failure(() => readDirector({ node: 'd1', root }))).toMatchObject({
      code: 'CONFIG_INCLUDE_LINK',
      message: expect.stringContaining('vip.part is a symbolic link to /etc/lvslab-is-not-here, which cannot'),
      at: { line: 1, column: 9 },
    })
  })

  it.each([
    ['lvs_timeouts tcp 900 tcpfin 10 udp 300', 10_000],
    ['lvs_timeouts tcpfin 30', 30_000],
    ['lvs_timeouts tcp 900', undefined],
    ['lvs_timeouts tcpfin x', undefined],
  ])('has what %s makes of FIN_WAIT', (line, finWait) => {
    expect(read(`global_defs {\n${line}\n}`).finWait).toBe(finWait)
  })

  it('has what lvs_timeouts makes of UDP', () => {
    const timeouts = (line: string) => read(`global_defs {\nlvs_timeouts ${line}\n}`)
    expect(timeouts('udp 30 tcpfin 10')).toMatchObject({ udpTimeout: 30_000, finWait: 10_000 })
    expect(timeouts('udp 0').udpTimeout).toBeUndefined() // the kernel's own
    expect(timeouts('udp -1').notices.map(({ message }) => message)).toEqual([
      'udp -1 is not a number from 0 to 2678400; keepalived goes without it',
    ])
  })

  it('names the interfaces whose state it hears of late', () => {
    const config = read('interface_up_down_delays {\n eth0 1 20\n eth1 2\n}')
    expect(config.delayedInterfaces).toEqual(['eth0', 'eth1'])
    expect(config.notices.map(({ message }) => message)).toEqual([
      'interface_up_down_delays is obeyed by keepalived; the predictions do not know it',
    ])
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
