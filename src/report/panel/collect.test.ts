import { describe, expect, it } from 'vitest'
import type { JournalLine } from '../../history/event.ts'
import { sampleRun } from '../sample-run.ts'
import { collectLabs } from './collect.ts'
import { packLab } from './pack.ts'

const { lines } = sampleRun()
const facts = { roles: new Map(), names: new Map([['10.0.0.12', 'web2']]) }

describe('collectLabs', () => {
  it('keeps the events of the labs that are wanted, in order of time', async () => {
    const { labs, failure } = await collectLabs([...lines].reverse(), ['web-crash', 'none', 'web-crash'])
    expect(failure).toBeUndefined()
    expect(labs.map(({ lab, requests, thinned }) => [lab, requests.length, thinned])).toEqual([
      ['web-crash', 600, false],
      ['none', 0, false],
    ])
    const times = labs[0]!.requests.map(({ t }) => t)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  it('thins out above its limits, failures last, and says so', async () => {
    const { labs } = await collectLabs(lines, ['failover-link-down'], { requests: 500, others: 10 })
    const [lab] = labs
    expect(lab!.requests.length).toBeLessThanOrEqual(500)
    expect(lab!.requests.filter(({ outcome }) => outcome !== 'answered')).toHaveLength(211)
    expect(lab!.thinned).toBe(true)
    expect(lab!.notes[0]).toMatch(/^\d+ of 789 answered requests are drawn/)
    expect(lab!.notes.join()).toMatch(/of 17 advert events are drawn/)
  })

  it('keeps what came before a journal became unreadable', async () => {
    const torn = async function* (): AsyncGenerator<JournalLine> {
      yield { kind: 'mark', t: 1, label: 'x', lab: 'a' }
      throw new Error('torn')
    }
    const { labs, failure } = await collectLabs(torn(), ['a'])
    expect(failure?.message).toBe('torn')
    expect(labs[0]?.others).toHaveLength(1)
  })
})

describe('packLab', () => {
  it('counts from the first event and says each text once', async () => {
    const { labs } = await collectLabs(lines, ['web-crash'])
    const packed = packLab(labs[0]!, facts)
    expect(packed.from).toBe(79_100)
    expect(packed.bands).toEqual([{ label: 'web-crash web2', detail: '', a: 3900, took: 3920, b: 8930 }])
    expect(new Set(packed.strings).size).toBe(packed.strings.length)
    expect(packed.requests.t).toHaveLength(600)
    expect(packed.strings[packed.requests.server[1]!]).toBe('web2')
    const web2 = packed.pool.find(({ server }) => server === 'web2')
    expect(web2?.spans).toEqual([
      { a: null, b: 6210, text: 'w 1' },
      { a: 6210, b: 10_320, text: 'w 0', hollow: true },
      { a: 10_320, b: null, text: 'w 1' },
    ])
  })

  it('packs a lab without events', () => {
    const packed = packLab({ lab: 'x', requests: [], others: [], thinned: false, notes: [] }, facts)
    expect(packed).toMatchObject({ from: 0, to: 0, vip: [], pool: [], adverts: [] })
  })
})
