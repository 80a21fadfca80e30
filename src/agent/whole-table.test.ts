import { describe, expect, it, vi } from 'vitest'
import type { IpvsService } from '../history/event.ts'
import { serviceArguments, wholeTable } from './whole-table.ts'

const table = (...services: string[]): IpvsService[] =>
  services.map(service => ({ service, scheduler: 'rr', persistent: false, destinations: [] }))

const readings = (...tables: (IpvsService[] | undefined)[]) => {
  const read = vi.fn<() => Promise<IpvsService[] | undefined>>()
  for (const one of tables) read.mockResolvedValueOnce(one)
  return read
}

describe('a table that is read in pieces', () => {
  it('is taken as it is where nothing is missing', async () => {
    const stands = vi.fn<(service: string) => Promise<boolean>>()
    const read = readings(table('TCP a', 'TCP b', 'TCP c'))
    expect(await wholeTable(read, ['TCP a', 'TCP b'], stands)).toEqual(table('TCP a', 'TCP b', 'TCP c'))
    expect(stands).not.toHaveBeenCalled()
  })

  it('is read again where it lacks a service that is still there', async () => {
    const read = readings(table('TCP a'), table('TCP a', 'TCP b'))
    expect(await wholeTable(read, ['TCP a', 'TCP b'], async () => true)).toEqual(table('TCP a', 'TCP b'))
    expect(read).toHaveBeenCalledTimes(2)
  })

  it('has lost a service that nobody can ask for any more', async () => {
    const read = readings(table('TCP a'))
    expect(await wholeTable(read, ['TCP a', 'TCP b'], async () => false)).toEqual(table('TCP a'))
  })

  it('asks for some of many alone', async () => {
    const stands = vi.fn<(service: string) => Promise<boolean>>(async () => false)
    const many = Array.from({ length: 100 }, (_, n) => `TCP ${n}`)
    expect(await wholeTable(readings([]), many, stands)).toEqual([])
    expect(stands).toHaveBeenCalledTimes(3)
  })

  it('is torn where no reading is whole, and nothing where there is none', async () => {
    const read = vi.fn<() => Promise<IpvsService[]>>(async () => table('TCP a'))
    expect(await wholeTable(read, ['TCP b'], async () => true)).toBe('torn')
    expect(read).toHaveBeenCalledTimes(5)
    expect(await wholeTable(readings(undefined), ['TCP b'], async () => true)).toBeUndefined()
  })
})

it('names a service to ipvsadm', () => {
  expect(serviceArguments('TCP 10.0.0.100:80')).toEqual(['-t', '10.0.0.100:80'])
  expect(serviceArguments('UDP [fd00::100]:53')).toEqual(['-u', '[fd00::100]:53'])
  expect(serviceArguments('FWM 50')).toEqual(['-f', '50'])
})
