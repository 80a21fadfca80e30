import { describe, expect, it } from 'vitest'
import { instance, messages, read } from './testing.ts'

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

  it('takes one word for the command, as keepalived does', () => {
    const bare = script().replace('"/bin/chk a"', '/bin/chk a || exit 1')
    expect(instance(' track_script {\n chk\n }', bare).trackScripts?.[0]?.script.command).toBe('/bin/chk')
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

  it('does not track what does not say what it looks at', () => {
    const read = instance(
      ' track_file {\n f\n }\n track_bfd {\n b\n }',
      'track_file f {\n}\nbfd_instance b {\n neighbour_ip 10.0.0.1\n}',
    )
    expect(read.trackObjects?.map(one => one.of)).toEqual(['10.0.0.1'])
    expect(read.notices).toContain('5: VI_1: there is no track_file f; keepalived ignores the line')
  })
})
