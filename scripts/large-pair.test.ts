import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Condition } from '../src/agent/protocol.ts'
import { largePair } from './large-pair.ts'
import { deriveFrom } from '../src/derive/read.ts'
import { writeDraft } from '../src/derive/write.ts'
import type { PoolParams } from '../src/judge/pool.ts'
import type { Lab } from '../src/lab/lab.ts'
import { loadTopology } from '../src/topology/load.ts'
import { type Plan, planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { askedFor } from '../src/verify/scenarios/large.ts'

/** What is derived of a pair and what is planned of that. */
const planOf = async (pair: Record<string, string>): Promise<Plan> => {
  const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-large-'))
  try {
    for (const [node, text] of Object.entries(pair)) {
      mkdirSync(path.join(parent, 'pair', node), { recursive: true })
      writeFileSync(path.join(parent, 'pair', node, 'keepalived.conf'), text)
    }
    const { draft, directors } = deriveFrom(path.join(parent, 'pair'))
    await writeDraft(draft, directors, path.join(parent, 'lab'))
    return planTopology(loadTopology(path.join(parent, 'lab')))
  } finally {
    rmSync(parent, { recursive: true })
  }
}

const changed = (pair: Record<string, string>, change: (text: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(pair).map(([node, text]) => [node, change(text)]))

const PAIR = largePair({ services: 10, servers: 4, seed: 1 })
const SERVICES = Array.from({ length: 10 }, (_, n) => `10.20.0.${n + 1}`)

it('is the same pair for the same seed, and another one for another', () => {
  const size = { services: 3, servers: 2 }
  expect(largePair({ ...size, seed: 1 })).toEqual(largePair({ ...size, seed: 1 }))
  expect(largePair({ ...size, seed: 1 })).not.toEqual(largePair({ ...size, seed: 2 }))
})

it('has so many services, each with so many real servers', () => {
  const { d1, d2 } = largePair({ services: 7, servers: 3, seed: 1 })
  for (const text of [d1, d2]) {
    expect(text.match(/^virtual_server /gm)).toHaveLength(7)
    expect(text.match(/real_server /g)).toHaveLength(21)
    expect(text.match(/10\.20\.0\.\d+\/16/g)).toHaveLength(7)
  }
  expect(d1.replaceAll('priority 150', 'priority 100').replaceAll('router_id d1', 'router_id d2')).toBe(d2)
})

describe('the topology of a large pair', async () => {
  const { topology } = await planOf(PAIR)

  it('has farms, which the written topology.yaml tells', () => {
    const farms = topology.nodes.filter(node => node.farm)
    expect(
      farms.map(({ name, interfaces }) => [name, interfaces[0]?.address, interfaces[0]?.addresses.length]),
    ).toEqual([1, 2, 3, 4].map(n => [`farm${n}`, `10.20.1.${n}`, 9]))
    expect(farms[0]?.loopback).toHaveLength(10)
  })
})

describe('a large plan', async () => {
  const plan = await planOf(PAIR)
  const scenarios = planScenarios(plan)

  it('acts on all services at once, and on a sample of the VIPs', () => {
    expect(scenarios.map(({ name }) => name)).toEqual([
      'configuration',
      'servers-of-farm1',
      'shares-of-all',
      'failover-stop-10.20.0.1',
      'failover-crash-10.20.0.1',
      'failover-link-eth0-10.20.0.1',
      'reload-d1',
      'backup-d2',
    ])
  })

  it('lists what stands for the rest, with the count', () => {
    expect(plan.untested).toEqual([
      { what: 'failover of 9 of 10 VIPs', why: 'sampled: 10.20.0.1 is looked at' },
      {
        what: 'removal and return of 30 of 40 real servers',
        why: 'sampled: one of each of 10 services is broken',
      },
    ])
  })

  it('judges each service by itself, against its own shares and bounds', () => {
    const shares = scenarios.find(({ name }) => name === 'shares-of-all')?.checks ?? []
    expect(shares.map(({ check }) => check.replace(/:.*/, ''))).toEqual(SERVICES.map(vip => `shares-${vip}`))
    const first = shares[0]?.params as { expected: { shares: Record<string, number> } }
    expect(Object.keys(first.expected.shares)).toEqual(['10.20.1.1', '10.20.1.2', '10.20.1.3', '10.20.1.4'])
    const pools = (scenarios.find(({ name }) => name === 'servers-of-farm1')?.checks ?? []).map(
      ({ params }) => params as PoolParams,
    )
    expect(pools.map(({ vip }) => vip)).toEqual(SERVICES)
    expect(pools.map(({ server }) => server)).toEqual(
      SERVICES.map((_, n) => expect.objectContaining({ node: 'farm1', name: `10.20.${n + 1}.1` })),
    )
    const loops = plan.services.map(({ service }) => service.realServers[0]?.checks[0]?.delayLoop)
    for (const [n, { downBound }] of pools.entries())
      expect(downBound.formula).toContain(`delay_loop ${(loops[n] ?? 0) / 1000} s`)
  })

  it('waits for one port of a farm once, and for each pool', () => {
    const titles = plan.readiness.map(({ title }) => title)
    expect(titles.filter(title => title.includes(' answers '))).toHaveLength(
      4 * new Set(plan.services.map(({ port }) => port)).size,
    )
    expect(titles.filter(title => title.startsWith('TCP '))).toHaveLength(10)
  })
})

describe('what cannot be acted on', () => {
  it('is listed with its reason: no check, weight 0, shares that are not exact', async () => {
    const plan = await planOf(
      changed(PAIR, text =>
        text
          .replace(/(virtual_server 10\.20\.0\.2 [^]*?lb_algo) \w+/, '$1 lc')
          .replace(/(virtual_server 10\.20\.0\.3 [^]*?)(?=virtual_server)/, all =>
            all.replaceAll(/weight \d/g, 'weight 0'),
          ),
      ),
    )
    const scenarios = planScenarios(plan)
    const name = (vip: string) => plan.services.find(service => service.vip.address === vip)?.name
    expect(plan.untested).toEqual(
      expect.arrayContaining([
        {
          what: `shares of ${name('10.20.0.2')}`,
          why: 'lc has no exact share, and of a large configuration nothing else is judged',
        },
        { what: `removal and return of the real servers of ${name('10.20.0.3')}`, why: 'its weight is 0' },
        { what: 'removal and return of 27 of 36 real servers', why: 'sampled: one of each of 9 services is broken' },
      ]),
    )
    expect(scenarios.find(one => one.name === 'servers-of-farm1')?.checks).toHaveLength(9)
  })
})

describe('a sorry server', () => {
  it('is tried in one service, whose real servers alone refuse', async () => {
    const plan = await planOf(
      changed(PAIR, text => text.replaceAll('    protocol TCP', '    protocol TCP\n    sorry_server 127.0.0.1 80')),
    )
    const [first, ...others] = planScenarios(plan).filter(({ name }) => name.startsWith('sorry'))
    expect(others).toEqual([])
    expect(plan.untested).toContainEqual({
      what: 'sorry server of 9 services',
      why: `sampled: that of ${plan.services[0]?.name} is tried`,
    })
    expect(first?.checks[0]?.params).toMatchObject({ fault: 'httpd-refuse' })
    const asked = plan.services[0]?.servers.map(one => [one.node, askedFor(plan, one, '10.20.0.1')])
    expect(asked).toEqual([1, 2, 3, 4].map(n => [`farm${n}`, [`10.20.1.${n}`, '10.20.0.1']]))
  })
})

describe('shares that take many connections', () => {
  it('are judged for the services with the shortest cycles', async () => {
    const plan = await planOf(
      changed(PAIR, text =>
        text
          .replaceAll(/lb_algo \w+/g, 'lb_algo wrr')
          .replaceAll(/(real_server 10\.20\.\d+\.1 \d+ \{\s+weight) \d/g, '$1 300')
          .replaceAll(/(real_server 10\.20\.\d+\.2 \d+ \{\s+weight) \d/g, '$1 301'),
      ),
    )
    const shares = planScenarios(plan).find(({ name }) => name === 'shares-of-all')
    // some 600 connections are a cycle of each
    expect(shares?.checks).toHaveLength(4)
    expect(plan.untested).toContainEqual({
      what: 'shares of 6 of 10 services',
      why: 'sampled: a full cycle of each would be more than 3000 connections',
    })
  })
})

describe('real servers that all services share', () => {
  it('are nodes, one of which is broken for all of them', async () => {
    const plan = await planOf(
      changed(PAIR, text => text.replaceAll(/real_server 10\.20\.\d+\.(\d)/g, 'real_server 10.20.1.$1')),
    )
    const scenarios = planScenarios(plan)
    expect(plan.topology.nodes.filter(node => node.role === 'realserver').map(node => node.name)).toEqual([
      'rs1',
      'rs2',
      'rs3',
      'rs4',
    ])
    expect(scenarios.map(({ name }) => name).filter(name => name.startsWith('servers-of'))).toEqual(['servers-of-rs1'])
    expect(scenarios.find(({ name }) => name === 'servers-of-rs1')?.checks).toHaveLength(10)
  })
})

describe('the real servers of a farm', () => {
  const INJECTING_MS = 8_000 // on a busy lab the table of each director is read first, which rests after each reading

  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('are waited for as long as they may take from the fault on, however long that takes to come', async () => {
    const plan = await planOf(PAIR)
    const scenario = planScenarios(plan).find(({ name }) => name === 'servers-of-farm1')
    const bounds = (scenario?.checks ?? []).map(({ params }) => params as PoolParams)
    const ends = { removed: 'downBound', added: 'upBound' } as const
    const happened: string[] = []
    const waiting: { match: Record<string, unknown>; met: () => void }[] = []
    /** keepalived says it of each at the end of its bound. */
    const say = (result: keyof typeof ends): void => {
      for (const one of bounds)
        setTimeout(() => {
          happened.push(result)
          const { address, port } = one.server
          const checker = { server: `${address}:${port}`, service: one.service, result }
          for (const { match, met } of waiting) if (isDeepStrictEqual(match['checker'], checker)) met()
        }, one[ends[result]]?.maxMs)
    }
    const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
    const probe = { stop: async () => {} }
    const lab = {
      http: async () => probe,
      sleep,
      until: (condition: Condition, deadlineMs: number) =>
        new Promise(resolve => {
          if (condition.kind === 'event') waiting.push({ match: condition.match, met: () => resolve(true) })
          setTimeout(() => resolve(false), deadlineMs)
        }),
      inject: async () => {
        await sleep(INJECTING_MS)
        say('removed')
        return async () => {
          happened.push('heal')
          await sleep(INJECTING_MS)
          say('added')
        }
      },
    }
    const driven = scenario?.drive(lab as unknown as Lab).then(() => happened.push('ended'))
    await vi.runAllTimersAsync()
    await driven
    const many = bounds.length
    expect(many).toBe(10)
    const all = [...Array(many).fill('removed'), 'heal', ...Array(many).fill('added'), 'ended']
    expect(happened).toEqual(all)
  })
})
