import { describe, expect, it } from 'vitest'
import { schedulersIn } from './schedulers.ts'

describe('schedulers', () => {
  it('are found in what directors are configured with', () => {
    const keepalived =
      'virtual_server 10.0.0.1 80 {\n  lb_algo wrr\n  lvs_sched rr # once lb_algo sh\n  ! lb_algo dh\n}\n'
    expect(schedulersIn([keepalived])).toEqual(['rr', 'wrr'])
    expect(schedulersIn(['virtual=10.0.0.1:80\n\tscheduler = sed\n#\tscheduler=nq\n'])).toEqual(['sed'])
    expect(schedulersIn(['-A -t 10.0.0.1:80 -s mh\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1\n'])).toEqual(['mh'])
    expect(schedulersIn(['net.ipv4.ip_forward = 1\n'])).toEqual([])
  })

  it("are keepalived's default where none is named", () => {
    expect(schedulersIn(['virtual_server 10.0.0.1 80 {\n}\n', 'vrrp_instance A {\n}\n'])).toEqual(['wlc'])
  })
})
