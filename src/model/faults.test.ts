import { describe, expect, it } from 'vitest'
import { anInstance } from './examples.ts'
import { type DirectorFault, predictFault } from './faults.ts'

const [master, backup] = [anInstance({ priority: 100 }), anInstance({ priority: 80 })]

describe('a fault on the MASTER', () => {
  it.for<[DirectorFault, number | undefined, string]>([
    // skew time of the backup: (256-80)/256 s
    ['keepalived-stop', 687.5, 'vip removed, table removed, goodbye'],
    ['keepalived-parent-killed', 687.5, 'vip removed, table removed, goodbye'],
    ['node-restart', 687.5, 'vip removed, table removed, goodbye'],
    // and three intervals
    ['keepalived-crash', 3687.5, 'vip kept, table kept'],
    ['keepalived-freeze', 3687.5, 'vip kept, table kept'],
    ['node-pause', 3687.5, 'vip kept, table kept'],
    ['vrrp-block', 3687.5, 'vip kept, table kept'],
    ['partition', 3687.5, 'vip kept, table kept'],
    ['keepalived-vrrp-killed', 3687.5, 'vip removed, table kept'],
    ['link-down', 3687.5, 'vip removed, table kept'],
    ['node-kill', 3687.5, 'vip removed, table removed'],
    ['keepalived-reload', undefined, 'vip kept, table kept'],
    ['keepalived-checker-killed', undefined, 'vip kept, table kept'],
  ])('%s: taken over after at most %s ms; %s', ([fault, maxMs, left]) => {
    const { takeover, vip, table, goodbye } = predictFault(fault, master, backup)
    expect(takeover?.maxMs).toBe(maxMs)
    expect(`vip ${vip}, table ${table}${goodbye ? ', goodbye' : ''}`).toBe(left)
  })

  it('of a VRRP block is nothing where the MASTER hears nobody, and all of it where nobody hears the MASTER', () => {
    const block = (direction: 'in' | 'out') => predictFault('vrrp-block', master, backup, { direction })
    expect(block('in')).toMatchObject({ vip: 'kept', table: 'kept', goodbye: false })
    expect([block('in').takeover, block('in').back]).toEqual([undefined, undefined])
    expect(block('out')).toEqual(predictFault('vrrp-block', master, backup))
  })

  it('comes back at once where it never stopped being MASTER, even with nopreempt', () => {
    const stubborn = anInstance({ priority: 100, preempt: false })
    expect(predictFault('keepalived-freeze', stubborn, backup).back?.maxMs).toBe(1000)
    expect(predictFault('keepalived-crash', stubborn, backup).back).toBeUndefined()
    expect(predictFault('keepalived-vrrp-killed', stubborn, backup).back).toBeUndefined()
  })

  it('comes back a master-down interval after its start, and after its startup delay', () => {
    expect(predictFault('keepalived-crash', master, backup).back?.maxMs).toBe(3609.375)
    expect(predictFault('node-kill', master, backup, { startupDelay: 5000 }).back?.maxMs).toBe(8609.375)
    // keepalived ran on
    expect(predictFault('link-down', master, backup, { startupDelay: 5000 }).back?.maxMs).toBe(3609.375)
  })
})
