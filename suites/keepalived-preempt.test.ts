import { describe, expect } from 'vitest'
import { eventsOf, holdingsOf, ownersAt, sharesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import { effectivePriority, interfaceDownBound, settled } from '../src/model/track.ts'
import type { Bound, VrrpInstance } from '../src/model/types.ts'
import { linkDownBound, outrankBound, preemptBound, startBound, stopBound } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { type Plan, planTopology } from '../src/verify/plan.ts'
import { planScenarios } from '../src/verify/scenarios.ts'
import { instanceOf, linesOf, restartWith, run, testConfiguration, whenTaken, within } from './steps.ts'

const dir = 'topologies/keepalived-preempt'
const test = labTest(dir)
const planned = planTopology(loadTopology(dir))

const FILE = 'etc/keepalived/conf.d/vips.conf'
const LOG = '/var/log/keepalived.log'
const PATIENCE_MS = 2_000

const NAMES = ['VI_PREEMPT', 'VI_DELAY', 'VI_STAY', 'VI_APART'] as const
type Name = (typeof NAMES)[number]

const vipOf = (name: Name): string => instanceOf(planned, 'd1', name).addresses[0]?.address ?? ''
const sides = (name: Name, plan: Plan = planned): [VrrpInstance, VrrpInstance] => [
  instanceOf(plan, 'd1', name),
  instanceOf(plan, 'd2', name),
]

const untilOwner = (lab: Lab, name: Name, node: string, bound: Bound): Promise<boolean> =>
  lab.until(
    { kind: 'owner', address: vipOf(name), node, others: ['d1', 'd2'].filter(other => other !== node) },
    bound.maxMs + PATIENCE_MS,
  )

/** Between two with nopreempt whoever came first holds the VIP: has d1 be the one. */
const beginOnD1 = async (lab: Lab): Promise<void> => {
  const heal = await lab.inject('keepalived-stop', 'd2')
  await Promise.all(NAMES.map(name => untilOwner(lab, name, 'd1', stopBound(...sides(name)))))
  await heal()
  await lab.sleep(startBound(instanceOf(planned, 'd2', 'VI_STAY')).maxMs + PATIENCE_MS)
}

/** Since when d1 was asked to end, and since when it was there again. */
const stopAndReturn = async (lab: Lab, plan: Plan = planned) => {
  const heal = await lab.inject('keepalived-stop', 'd1')
  await Promise.all(NAMES.map(name => untilOwner(lab, name, 'd2', stopBound(...sides(name, plan)))))
  await heal()
  // whoever does not come back is watched for as long as the last one may take
  const longest = Math.max(...NAMES.map(name => preemptBound(...sides(name, plan))?.maxMs ?? 0))
  await lab.sleep(longest + PATIENCE_MS)
  const [stopped, returned] = eventsOf(lab.history, 'fault').slice(-2)
  if (!stopped || !returned) throw new Error('the faults are not in the journal')
  return {
    stopped: { started: stopped.t, ended: stopped.done },
    returned: { started: returned.t, ended: returned.done },
  }
}

type Cause = Parameters<typeof within>[2]

/** The last fault that was injected or healed. */
const causeOf = (lab: Lab): Cause => {
  const fault = eventsOf(lab.history, 'fault').at(-1)
  if (!fault) throw new Error('the fault is not in the journal')
  return { started: fault.t, ended: fault.done }
}

const ask = async (lab: Lab, name: Name): Promise<Record<string, number>> => {
  const probe = `clients-${name}-${await lab.now()}`
  const running = await lab.http({
    probe,
    client: 'c1',
    url: `http://${vipOf(name)}/`,
    rate: 10,
    count: 5,
    timeoutMs: 1_000,
  })
  await running.ended()
  return sharesOf(lab.history, probe)
}

describe('three ways to preempt, side by side', () => {
  for (const scenario of planScenarios(planned).filter(one => one.name === 'configuration')) {
    test(scenario.name, async ({ lab, judge }) => {
      await scenario.drive(lab)
      for (const check of scenario.checks) judge(check)
    })
  }

  test('d1 stops and returns: its VIP comes back at once, after preempt_delay, or never', async ({ lab }) => {
    await beginOnD1(lab)
    const { stopped, returned } = await stopAndReturn(lab)
    for (const name of NAMES) {
      within(
        lab,
        `${name}, stop`,
        stopped,
        whenTaken(lab, vipOf(name), 'd2', stopped.started),
        stopBound(...sides(name)),
      )
      const back = whenTaken(lab, vipOf(name), 'd1', returned.started)
      const bound = preemptBound(...sides(name))
      if (bound) within(lab, `${name}, return`, returned, back, bound)
      else expect(back, `${name} stays on d2`).toBeUndefined()
    }
    const backs = NAMES.map(name => whenTaken(lab, vipOf(name), 'd1', returned.started) ?? Number.POSITIVE_INFINITY)
    expect(NAMES.filter((_, n) => backs[n] === Number.POSITIVE_INFINITY)).toEqual(['VI_STAY'])
    expect(await ask(lab, 'VI_STAY')).toEqual({ d2: 5 })
    expect(await ask(lab, 'VI_DELAY')).toEqual({ d1: 5 })
  })

  test('with state MASTER keepalived clears preempt_delay and nopreempt, and says so', async ({ lab }) => {
    const plan = await restartWith(lab, dir, `d1/${FILE}`, text => text.replaceAll('state BACKUP', 'state MASTER'))
    await Promise.all(NAMES.map(name => untilOwner(lab, name, 'd1', preemptBound(...sides(name, plan)) as Bound)))
    expect(linesOf(lab, 'd1').filter(line => line.includes('clearing'))).toEqual([
      expect.stringMatching(/VI_DELAY.*preempt.delay/i),
      expect.stringMatching(/VI_STAY.*nopreempt/),
    ])
    const { returned } = await stopAndReturn(lab, plan)
    for (const name of NAMES) {
      const bound = preemptBound(...sides(name, plan)) as Bound
      within(lab, `${name}, return`, returned, whenTaken(lab, vipOf(name), 'd1', returned.started), bound)
    }
  })
})

describe('VRRP on one link, the VIP on another', () => {
  const [master, backup] = sides('VI_APART')
  const advertsOf = (lab: Lab, node: string) =>
    eventsOf(lab.history, 'advert').filter(one => one.vrid === master.virtualRouterId && one.node === node)

  test('the adverts are on the one, the clients on the other', async ({ lab }) => {
    expect(await ask(lab, 'VI_APART')).toEqual({ d1: 5 })
    await lab.sleep(3 * master.advertInterval)
    expect(new Set(advertsOf(lab, 'd1').map(advert => advert.network))).toEqual(new Set(['heartbeat']))
    const held = eventsOf(lab.history, 'address').filter(one => one.node === 'd1' && one.address === vipOf('VI_APART'))
    expect(new Set(held.map(one => one.device))).toEqual(new Set(['eth0']))
    expect((await run(lab, 'd1', 'ip -o address show label eth0:4')).stdout).toContain(vipOf('VI_APART'))
  })

  for (const [device, bound] of [
    ['eth1', linkDownBound(master, backup)],
    ['eth0', interfaceDownBound(master, backup, 'eth0')],
  ] as const) {
    test(`${device} of d1 goes down: the VIP moves`, async ({ lab }) => {
      if (!bound) throw new Error('no bound')
      const heal = await lab.inject('link-down', 'd1', { device })
      const cause = causeOf(lab)
      await untilOwner(lab, 'VI_APART', 'd2', bound)
      within(lab, `${device} down`, cause, whenTaken(lab, vipOf('VI_APART'), 'd2', cause.started), bound)
      expect(await ask(lab, 'VI_APART')).toEqual({ d2: 5 })
      await heal()
    })
  }

  test('with no_track d1 stays MASTER of a VIP that nobody reaches', async ({ lab }) => {
    const plan = await restartWith(lab, dir, `d1/${FILE}`, text =>
      text.replace('label eth0:4', 'label eth0:4 no_track'),
    )
    const [careless] = sides('VI_APART', plan)
    expect(interfaceDownBound(careless, backup, 'eth0')).toBeUndefined()
    await untilOwner(lab, 'VI_APART', 'd1', preemptBound(careless, backup) as Bound)
    const heal = await lab.inject('link-down', 'd1', { device: 'eth0' })
    const down = await lab.now()
    await lab.sleep(linkDownBound(master, backup).maxMs + PATIENCE_MS)
    expect(whenTaken(lab, vipOf('VI_APART'), 'd2', down)).toBeUndefined()
    expect(advertsOf(lab, 'd1').filter(({ t, priority }) => t > down && priority === master.priority)).not.toEqual([])
    expect(await ask(lab, 'VI_APART')).toEqual({})
    expect(await ask(lab, 'VI_PREEMPT')).toEqual({ d2: 5 })
    await heal()
  })
})

describe('an interface that an instance tracks', () => {
  /** The file of d1 with a line of `track_interface` in some of its instances. */
  const tracking =
    (lines: Partial<Record<Name, string>>) =>
    (text: string): string =>
      text.replace(/^vrrp_instance (\w+) \{$/gm, (head, name: Name) =>
        lines[name] ? `${head}\n    track_interface {\n        ${lines[name]}\n    }` : head,
      )

  /** Each VIP goes to a director within its bound; one without a bound stays where it is. */
  const expectMoved = async (
    lab: Lab,
    what: string,
    cause: Cause,
    to: string,
    bounds: Partial<Record<Name, Bound | undefined>>,
  ): Promise<void> => {
    const promised = Object.values(bounds).flatMap(bound => bound ?? [])
    await lab.sleep(Math.max(...promised.map(({ maxMs }) => maxMs)) + PATIENCE_MS)
    for (const [name, bound] of Object.entries(bounds) as [Name, Bound | undefined][]) {
      const taken = whenTaken(lab, vipOf(name), to, cause.started)
      if (bound) within(lab, `${name}, ${what}`, cause, taken, bound)
      else expect(taken, `${name} stays, ${what}`).toBeUndefined()
    }
  }

  const TRACKING = ['VI_PREEMPT', 'VI_DELAY', 'VI_STAY'] as const

  test('weight -30: whoever outranks d1 then takes the VIP, after preempt_delay, or never', async ({ lab }) => {
    const line = 'eth1 weight -30'
    const plan = await restartWith(
      lab,
      dir,
      `d1/${FILE}`,
      tracking({ VI_PREEMPT: line, VI_DELAY: line, VI_STAY: line }),
    )
    await beginOnD1(lab)
    const heal = await lab.inject('link-down', 'd1', { device: 'eth1' })
    const down = Object.fromEntries(TRACKING.map(name => [name, interfaceDownBound(...sides(name, plan), 'eth1')]))
    expect(TRACKING.filter(name => !down[name])).toEqual(['VI_STAY'])
    await expectMoved(lab, 'eth1 down', causeOf(lab), 'd2', down)
    await heal()
    // all is up again: d1 outranks d2, which has what it took
    const back = Object.fromEntries(
      TRACKING.map(name => {
        const [d1, d2] = sides(name, plan)
        return [name, outrankBound(d2, d1)]
      }),
    )
    await expectMoved(lab, 'eth1 up', causeOf(lab), 'd1', back)
  })

  test('reverse: d1 is outranked, or in FAULT, for as long as the interface is up', async ({ lab }) => {
    const plan = await restartWith(
      lab,
      dir,
      `d1/${FILE}`,
      tracking({ VI_PREEMPT: 'eth1 weight 30 reverse', VI_DELAY: 'eth1 weight 0 reverse' }),
    )
    const [weighted, backup] = sides('VI_PREEMPT', plan)
    const [faulty, other] = sides('VI_DELAY', plan)
    const down = { interfaces: { eth1: false } }
    expect([weighted, faulty].map(one => [settled(one).priority, effectivePriority(one, down)])).toEqual([
      [70, 100],
      [0, 100],
    ])
    await lab.sleep(startBound(backup).maxMs + PATIENCE_MS)
    for (const name of ['VI_PREEMPT', 'VI_DELAY'] as const)
      expect(ownersAt(holdingsOf(lab.history, vipOf(name), ['d1', 'd2']), await lab.now()), name).toEqual(['d2'])
    await lab.inject('link-down', 'd1', { device: 'eth1' })
    await expectMoved(lab, 'eth1 down', causeOf(lab), 'd1', {
      VI_PREEMPT: outrankBound(backup, weighted),
      VI_DELAY: preemptBound(faulty, other),
    })
    await lab.faults.healAll()
  })
})

describe('notify scripts', () => {
  /** What notify.sh was called with on a director, since the lab was made. */
  const called = async (lab: Lab, node: string): Promise<string[]> =>
    (await run(lab, node, 'cat /var/log/notify.log')).stdout.trim().split('\n')
  const [master, backup] = sides('VI_PREEMPT')

  test('are called with the state that is entered', async ({ lab }) => {
    const healLink = await lab.inject('link-down', 'd1', { device: 'eth0' })
    await untilOwner(lab, 'VI_PREEMPT', 'd2', linkDownBound(master, backup))
    await healLink()
    await untilOwner(lab, 'VI_PREEMPT', 'd1', preemptBound(master, backup) as Bound)
    await lab.sleep(PATIENCE_MS)
    expect(await called(lab, 'd1')).toEqual(['backup', 'master', 'fault', 'backup', 'master'])
    expect(await called(lab, 'd2')).toEqual(['backup', 'master', 'backup'])
    // each call follows the line of the log that says so
    const states = eventsOf(lab.history, 'keepalived').flatMap(({ node, transition }) =>
      node === 'd1' && transition?.instance === 'VI_PREEMPT' ? [transition.state.toLowerCase()] : [],
    )
    expect(states).toEqual(['backup', 'master', 'fault', 'backup', 'master'])
  })

  test('are never called where their lines stand behind the brace of the instance', async ({ lab }) => {
    const NOTIFY = /^ +notify_.*\n/gm
    const notify = (text: string): string => (text.match(NOTIFY) ?? []).join('').replace(/^ +/gm, '')
    const plan = await restartWith(lab, dir, `d1/${FILE}`, text => `${text.replace(NOTIFY, '')}\n${notify(text)}`)
    await untilOwner(lab, 'VI_PREEMPT', 'd1', preemptBound(master, backup) as Bound)
    await lab.sleep(PATIENCE_MS)
    // d1 was BACKUP and MASTER once more than it was told; d2 had the VIP meanwhile
    expect(await called(lab, 'd1')).toEqual(['backup', 'master'])
    expect(await called(lab, 'd2')).toEqual(['backup', 'master', 'backup'])
    const unknown = linesOf(lab, 'd1').filter(line => line.includes('Unknown keyword'))
    for (const word of ['notify_master', 'notify_backup', 'notify_fault'])
      expect(unknown, word).toContainEqual(expect.stringMatching(`vips\\.conf: Line \\d+\\) Unknown keyword '${word}'`))
    expect(lab.history).not.toPass('configuration', await testConfiguration(lab, 'd1'))
    // the reader says it before any engine is started
    expect(plan.untested.map(({ why }) => why)).toContainEqual(
      'notify_master stands outside of every block; keepalived ignores it',
    )
  })
})

test('BAKCUP is BACKUP: keepalived says that it does not know the state, and the priority decides', async ({ lab }) => {
  const [master, backup] = sides('VI_PREEMPT')
  for (const node of ['d2', 'd1']) {
    const words = "(VI_PREEMPT) unknown state 'BAKCUP', defaulting to BACKUP"
    const said = lab.until({ kind: 'line', node, file: LOG, match: "unknown state 'BAKCUP'" }, 5_000)
    const plan = await restartWith(lab, dir, `${node}/${FILE}`, text => text.replace(/state \w+/, 'state BAKCUP'))
    expect(instanceOf(plan, node, 'VI_PREEMPT').state).toBe('BACKUP')
    expect(await said).toBe(true)
    expect(lab.history).not.toPass('configuration', await testConfiguration(lab, node))
    expect(linesOf(lab, node)).toContainEqual(expect.stringContaining(words))
  }
  // d1 begins as BACKUP as well, and preempts by its priority
  await untilOwner(lab, 'VI_PREEMPT', 'd1', preemptBound(master, backup) as Bound)
  const { stopped, returned } = await stopAndReturn(lab)
  const vip = vipOf('VI_PREEMPT')
  within(lab, 'stop', stopped, whenTaken(lab, vip, 'd2', stopped.started), stopBound(master, backup))
  within(lab, 'return', returned, whenTaken(lab, vip, 'd1', returned.started), preemptBound(master, backup) as Bound)
  expect((await run(lab, 'd2', `grep -c BAKCUP ${LOG}`)).stdout.trim()).not.toBe('0')
})
