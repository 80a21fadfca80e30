import { describe, expect, it } from 'vitest'
import type { DirectorConfig } from '../../model/types.ts'
import { messages, read, vrrp } from './testing.ts'

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

  describe('weights', () => {
    const SCRIPTS = [
      'vrrp_script chk {\n script /bin/true\n weight 5\n}',
      'vrrp_track_file /run/f {\n file /run/f\n}',
      'vrrp_track_process sshd {\n process sshd\n}',
      'vrrp_track_process nginx {\n process nginx\n weight 5\n}',
    ].join('\n')
    const tracks = '  track_script {\n chk\n }\n track_interface {\n eth1 weight -9\n }'
    const weightsOf = (group: string) =>
      read(`${SCRIPTS}\nvrrp_sync_group G {\n group {\n VI_1\n }\n${group}\n}\n${vrrp(tracks)}`)

    it('of what a member tracks are ignored, with scripts that have one, but for those of interfaces', () => {
      const config = weightsOf('')
      expect(config.instances[0]).toMatchObject({
        trackScripts: [],
        trackInterfaces: [{ interface: 'eth1', weight: -9 }],
      })
      expect(config.instances[0]).not.toHaveProperty('weightsOfGroup')
      expect(messages(config).map(message => message.replace(/^\d+: /, ''))).toEqual([
        expect.stringContaining('vrrp_track_file /run/f is obeyed'),
        expect.stringContaining('vrrp_track_process sshd is obeyed'),
        expect.stringContaining('vrrp_track_process nginx is obeyed'),
        'VI_1 is in vrrp_sync_group G: keepalived ignores vrrp_script chk, as it has a weight',
        'VI_1 is in vrrp_sync_group G: keepalived says that it ignores the weight of track_interface eth1, and counts it all the same',
      ])
    })

    it.each([
      ['/run/f', [{ weight: 0 }], 'the weight of track_file /run/f'],
      ['/run/f weight 5', undefined, 'track_file /run/f'],
    ])('of a file: %s', (line, trackObjects, ignored) => {
      const group = 'vrrp_sync_group G {\n group {\n VI_1\n }\n}'
      const config = read(`${SCRIPTS}\n${group}\n${vrrp(`track_file {\n ${line}\n}`)}`)
      expect(config.instances[0]?.trackObjects).toEqual(trackObjects && [expect.objectContaining({ weight: 0 })])
      expect(messages(config).at(-1)).toMatch(new RegExp(`keepalived ignores ${ignored}$`))
    })

    it.each(['sync_group_tracking_weight', 'global_tracking'])('count with %s', line => {
      expect(weightsOf(line).instances[0]).toMatchObject({
        trackScripts: [{ weight: 5 }],
        trackInterfaces: [{ weight: -9 }],
      })
    })

    it.each([
      ['track_script {\n chk\n }', true],
      ['track_script {\n chk weight 0\n }', undefined],
      ['track_interface {\n eth1\n }', undefined],
      ['track_interface {\n eth1 weight 5\n }', true],
      ['track_file {\n /run/f\n }', true],
      ['track_process {\n sshd\n }', undefined],
      ['track_process {\n nginx\n }', true],
    ])('of the group itself are known to be there: %s', (lines, known) => {
      expect(weightsOf(lines).instances[0]?.weightsOfGroup).toBe(known)
    })
  })

  it('has each member track a script that the group tracks without a weight', () => {
    const script = 'vrrp_script chk {\n script /bin/true\n}'
    const group = 'vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n track_script {\n chk\n }\n}'
    const own = pair.replace('virtual_router_id 51', 'virtual_router_id 51\n track_script {\n chk\n }')
    const config = read(`${script}\n${group}\n${own}`)
    expect(config.instances.map(one => one.trackScripts.map(({ weight }) => weight))).toEqual([[0], [0]])
    expect(messages(config)).toEqual([])
  })

  it('says what of it the predictions do not know, and what is not judged', () => {
    const lines = ' track_interface {\n eth1\n }\n notify_master "/bin/true"'
    const config = read(`${pair}\nvrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n${lines}\n}`)
    expect(messages(config)).toEqual([
      '16: track_interface of G is obeyed by keepalived; the predictions do not know it',
      '19: whether keepalived runs the notify scripts of G is not judged',
    ])
  })
})
