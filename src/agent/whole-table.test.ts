import { describe, expect, it, vi } from 'vitest'
import type { IpvsService } from '../history/event.ts'
import { serviceArguments, wholeTable } from './whole-table.ts'

const table = (...services: string[]): IpvsService[] =>
  services.map(service => ({ service, scheduler: 'rr', persistent: false, destinations: [] }))

type Read = () => Promise<IpvsService[] | undefined>
type Stands = (service: string) => Promise<boolean>

/** Reads these, one after the other, the last one again and again. */
const reader = (stands: Stands, ...tables: (IpvsService[] | undefined)[]) => {
  const read = vi.fn<Read>(async () => (tables.length > 1 ? tables.shift() : tables[0]))
  return { read, whole: wholeTable(read, stands) }
}

describe('a table that is read in pieces', () => {
  it('is taken as it is where nothing is missing', async () => {
    const stands = vi.fn<Stands>(async () => true)
    const { whole } = reader(stands, table('TCP a', 'TCP b'), table('TCP a', 'TCP b', 'TCP c'))
    expect(await whole()).toEqual(table('TCP a', 'TCP b'))
    expect(await whole()).toEqual(table('TCP a', 'TCP b', 'TCP c'))
    expect(stands).not.toHaveBeenCalled()
  })

  it('is read again where it lacks a service that the last one had and that is still there', async () => {
    const { read, whole } = reader(async () => true, table('TCP a', 'TCP b'), table('TCP a'), table('TCP a', 'TCP b'))
    await whole()
    expect(await whole()).toEqual(table('TCP a', 'TCP b'))
    expect(read).toHaveBeenCalledTimes(3)
  })

  it('has lost a service that nobody can ask for any more, and asks for it once', async () => {
    const stands = vi.fn<Stands>(async () => false)
    const { whole } = reader(stands, table('TCP a', 'TCP b'), table('TCP a'))
    await whole()
    expect(await whole()).toEqual(table('TCP a'))
    expect(await whole()).toEqual(table('TCP a'))
    expect(stands.mock.calls).toEqual([['TCP b']])
  })

  it('asks for some of many alone, from the first to the last', async () => {
    const stands = vi.fn<Stands>(async () => false)
    const { whole } = reader(stands, table(...Array.from({ length: 101 }, (_, n) => `TCP ${n}`)), [])
    await whole()
    expect(await whole()).toEqual([])
    expect(stands.mock.calls.flat()).toEqual(['TCP 0', 'TCP 50', 'TCP 100'])
  })

  it('is unknown where no reading is whole, and where there is none', async () => {
    const { read, whole } = reader(async () => true, table('TCP a', 'TCP b'), table('TCP a'))
    await whole()
    expect(await whole()).toBeUndefined()
    expect(read).toHaveBeenCalledTimes(6)
    expect(await reader(async () => true, undefined).whole()).toBeUndefined()
  })
})

it('names a service to ipvsadm', () => {
  expect(serviceArguments('TCP 10.0.0.100:80')).toEqual([['-t', '10.0.0.100:80']])
  expect(serviceArguments('UDP [fd00::100]:53')).toEqual([['-u', '[fd00::100]:53']])
  expect(serviceArguments('FWM 50')).toEqual([
    ['-f', '50'],
    ['-f', '50', '-6'],
  ])
})
