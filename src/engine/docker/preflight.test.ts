import { describe, expect, it } from 'vitest'
import { lacking, readTrial } from './preflight.ts'

describe('the preflight', () => {
  it('reads what was tried, line ends of a terminal included', () => {
    const output = [
      'have ip_vs',
      'have ip_vs_rr',
      'lack ip_vs_mh Scheduler or persistence engine not found',
      'version keepalived Keepalived v2.3.3 (03/30,2025)',
      '',
      'Copyright(C) 2001-2025 Alexandre Cassen',
      'version ipvsadm ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)',
    ].join('\r\n')
    expect(readTrial(output)).toEqual({
      lacks: [{ module: 'ip_vs_mh', words: 'Scheduler or persistence engine not found' }],
      versions: { keepalived: '2.3.3', ipvsadm: '1.31' },
    })
  })

  it('names everything that is missing, the worst first, and how to load it', () => {
    const engine = { address: 'unix:///s', facts: { kernel: '6.1.0' } }
    const error = lacking(engine, [
      { module: 'ip_vs', words: 'Protocol not available' },
      { module: 'ip_vs_rr', words: 'Protocol not available' },
      { module: 'dummy', words: 'operation not supported' },
    ])
    expect(error.code).toBe('DOCKER_NO_IPVS')
    expect(error.message).toBe(
      'the kernel 6.1.0 of the Docker Engine at unix:///s lacks ip_vs (Protocol not available), ' +
        'ip_vs_rr (Protocol not available), dummy (operation not supported)',
    )
    expect(error.remedy).toContain('sudo modprobe -a ip_vs ip_vs_rr dummy #')
    expect(lacking(engine, [{ module: 'ip_vs_sh', words: '' }]).code).toBe('DOCKER_NO_SCHEDULER')
    expect(lacking(engine, [{ module: 'macvlan', words: '' }]).code).toBe('DOCKER_NO_MACVLAN')
  })
})
