import { describe, expect } from 'vitest'
import type { CommandResult } from '../src/agent/protocol.ts'
import { activeDestinations, eventsOf, tablesOf } from '../src/history/queries.ts'
import type { Lab } from '../src/lab/lab.ts'
import {
  checkDownBound,
  checkUpBound,
  dynamicWeight,
  firstDownBound,
  firstUpBound,
  type ServerFailure,
} from '../src/model/health-check.ts'
import { IPVS_SYSCTLS, SETTABLE_TIMEOUTS, TCP_TIMEOUTS } from '../src/model/ipvs-defaults.ts'
import { releaseBound, templateRelease, templateTimeout } from '../src/model/persistence.ts'
import { changePool, type Pool, poolTable, startPool } from '../src/model/pool.ts'
import { trackedScriptBackBound, trackedScriptBound } from '../src/model/track.ts'
import type { Bound, HealthCheck, VirtualService } from '../src/model/types.ts'
import { freezeBound, linkDownBound, preemptBound, stopBound, wireInterval } from '../src/model/vrrp.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { loadTopology } from '../src/topology/load.ts'
import { planTopology } from '../src/verify/plan.ts'
import { directorOf, instanceOf, run, slackOf, whenTaken, within } from './steps.ts'

/** The predictions beside the real keepalived and the real kernel: each is measured, and must be within its bound. */

const dir = 'topologies/keepalived-checkers'
const test = labTest(dir)
const plan = planTopology(loadTopology(dir))

const { services, instances } = directorOf(plan, 'd1')
const tableName = (service: VirtualService): string => `${service.protocol} ${service.address}:${service.port}`
const serviceOn = (port: number): VirtualService => {
  const found = services.find(service => service.port === port)
  if (!found) throw new Error(`no service on port ${port}`)
  return found
}
const checkOf = (service: VirtualService): HealthCheck => {
  const check = service.realServers[0]?.checks[0]
  if (!check) throw new Error(`${service.name} has no check`)
  return check
}
/** The services with one check and one server. */
const single = services.filter(service => service.realServers.length === 1)
const keys = (service: VirtualService): string[] => service.realServers.map(s => `${s.address}:${s.port}`)

/** When a service of d1 first had these destinations after a moment. */
const whenPool = (lab: Lab, service: VirtualService, destinations: string[], after: number): number | undefined =>
  tablesOf(lab.history, 'd1').find(table => {
    const active = activeDestinations(table, tableName(service))?.map(d => `${d.address}:${d.port}`)
    return table.t >= after && active?.sort().join() === [...destinations].sort().join()
  })?.t

const untilPool = (lab: Lab, service: VirtualService, destinations: string[], ms: number): Promise<boolean> =>
  lab.until({ kind: 'pool', node: 'd1', service: tableName(service), destinations }, ms)

const allUp = async (lab: Lab): Promise<void> => {
  const met = await Promise.all(single.map(service => untilPool(lab, service, keys(service), 60_000)))
  expect(single.filter((_, n) => !met[n]).map(tableName)).toEqual([])
}

interface Failing {
  failure: ServerFailure
  inject: string
  heal: string
}

/** What breaks every responder of rs1 at once, and what heals it. */
const failings: Failing[] = [
  {
    failure: 'refused',
    inject: 'kill -KILL $(cat /run/responder-*.pid); pkill -KILL -x apache2',
    heal: '/usr/local/sbin/responder; /usr/lib/lvslab/service httpd start',
  },
  {
    failure: 'silent',
    inject: 'iptables -I INPUT -s 10.0.0.200 -j DROP',
    heal: 'iptables -D INPUT -s 10.0.0.200 -j DROP',
  },
  {
    failure: 'hanging',
    inject: 'kill -STOP $(cat /run/responder-*.pid) $(pgrep -x apache2)',
    heal: 'kill -CONT $(cat /run/responder-*.pid) $(pgrep -x apache2)',
  },
  {
    failure: 'wrong-answer',
    inject: 'mv /var/www/html/health /var/www/html/gone; touch /run/wrong-answers',
    heal: 'rm /run/wrong-answers; mv /var/www/html/gone /var/www/html/health',
  },
]

describe('health checks', () => {
  for (const { failure, inject, heal } of failings) {
    test(`each check finds a server that is ${failure}, and the same one back`, async ({ lab }) => {
      await allUp(lab)
      const bounds = single.map(service => {
        const check = checkOf(service)
        // the wrong answers are those of /health alone
        const other = check.urls.some(({ path }) => !path.startsWith('/health'))
        const seen = failure === 'wrong-answer' && other ? 'one-url' : failure
        return {
          service,
          title: `${check.keyword} on ${tableName(service)}, ${seen}`,
          down: checkDownBound(check, seen),
          up: checkUpBound(check, seen, plan.keepalived),
        }
      })
      const seeing = bounds.filter(bound => bound.down)
      const longest = Math.max(...seeing.map(({ down }) => down?.maxMs ?? 0))

      const broken = await run(lab, 'rs1', inject)
      await Promise.all(seeing.map(({ service, down }) => untilPool(lab, service, [], (down?.maxMs ?? 0) + 5000)))
      await lab.sleep(longest)
      for (const { service, title, down } of bounds) {
        const t = whenPool(lab, service, [], broken.started)
        if (down) within(lab, `${title}, down`, broken, t, down)
        else expect(t, `${title}: nothing to see`).toBeUndefined()
      }

      const healed = await run(lab, 'rs1', heal)
      await Promise.all(
        seeing.map(({ service, up }) => untilPool(lab, service, keys(service), (up?.maxMs ?? 0) + 5000)),
      )
      await lab.snapshot()
      for (const { service, title, up } of seeing)
        if (up) within(lab, `${title}, up`, healed, whenPool(lab, service, keys(service), healed.started), up)
    })
  }

  test('without its check nobody finds a server down', async ({ lab }) => {
    await allUp(lab)
    const service = serviceOn(25)
    const down = checkDownBound(checkOf(service), 'refused')
    if (!down) throw new Error('no bound')
    const file = '/etc/keepalived/conf.d/services.conf'
    const reloadWith = async (change: string): Promise<void> => {
      const match = 'Reload complete'
      const reloaded = lab.until({ kind: 'line', node: 'd1', file: '/var/log/keepalived.log', match }, 5000)
      await run(lab, 'd1', `${change} && kill -HUP $(cat /run/keepalived.pid)`)
      expect(await reloaded).toBe(true)
    }
    await reloadWith(`cp ${file} /tmp/before && perl -0pi -e 's/ +SMTP_CHECK \\{.*?\\n {8}\\}\\n//s or die' ${file}`)
    const broken = await run(lab, 'rs1', 'kill -KILL $(cat /run/responder-smtp.pid)')
    await lab.sleep(down.maxMs + slackOf(lab))
    await lab.snapshot()
    expect(whenPool(lab, service, [], broken.started)).toBeUndefined()
    await reloadWith(`cp /tmp/before ${file}`)
    expect(await untilPool(lab, service, [], down.maxMs + 5000)).toBe(true)
  })

  test('after the start the first check decides alone, and alpha waits for it', async ({ lab }) => {
    await run(lab, 'd1', '/usr/lib/lvslab/service keepalived stop; while pgrep -x keepalived; do sleep 0.1; done')
    await run(lab, 'rs1', `for n in smtp dns pong udp; do kill -KILL $(cat /run/responder-$n.pid); done`)
    const started = await run(lab, 'd1', '/usr/lib/lvslab/service keepalived start')
    const alpha = serviceOn(7001)
    await untilPool(lab, alpha, keys(alpha), 20_000)
    const down = [25, 53, 7002, 7003].map(serviceOn)
    await Promise.all(down.map(service => untilPool(lab, service, [], 20_000)))
    await lab.snapshot()
    const up = firstUpBound(checkOf(alpha))
    if (!up) throw new Error('no service with alpha')
    within(lab, up.name, started, whenPool(lab, alpha, keys(alpha), started.started), up)
    for (const service of down) {
      // until the new keepalived has made its table there is none, which is no removal
      const full = whenPool(lab, service, keys(service), started.started) ?? Number.POSITIVE_INFINITY
      const bound = firstDownBound(checkOf(service), 'refused')
      if (!bound) throw new Error(`no bound for ${service.name}`)
      within(lab, bound.name, started, whenPool(lab, service, [], full), bound)
    }
  })

  test('misc_dynamic takes the weight from the exit code', async ({ lab }) => {
    await allUp(lab)
    const service = serviceOn(7005)
    const configured = service.realServers[0]?.weight ?? Number.NaN
    const bound = checkUpBound(checkOf(service), 'wrong-answer', plan.keepalived)
    for (const code of [42, 0, 2]) {
      await run(lab, 'rs1', `echo ${code} >/run/weight`)
      await lab.sleep((bound?.maxMs ?? 0) + slackOf(lab))
      await lab.snapshot()
      const table = tablesOf(lab.history, 'd1')
        .at(-1)
        ?.services.find(s => s.service === tableName(service))
      expect(table?.destinations[0]?.weight, `exit code ${code}`).toBe(dynamicWeight(configured, code))
    }
  })
})

describe('quorum', () => {
  const service = serviceOn(9000)
  const table = (lab: Lab): Record<string, number> => {
    const found = tablesOf(lab.history, 'd1')
      .at(-1)
      ?.services.find(s => s.service === tableName(service))
    return Object.fromEntries((found?.destinations ?? []).map(d => [`${d.address}:${d.port}`, d.weight]))
  }

  test('the table is what the state machine says, whatever comes and goes', async ({ lab }) => {
    await untilPool(lab, service, keys(service), 60_000)
    const check = checkOf(service)
    const settle = Math.max(
      checkDownBound(check, 'refused')?.maxMs ?? 0,
      checkUpBound(check, 'refused', plan.keepalived)?.maxMs ?? 0,
    )
    let pool: Pool = startPool(service)
    // 3 of 4 and 2 of 4 keep quorum, 1 loses it; 2 and 3 do not gain it back, 4 do
    for (const [port, alive] of [
      [9003, false],
      [9001, false],
      [9002, false],
      [9004, false],
      [9001, true],
      [9003, true],
      [9002, true],
      [9004, true],
      [9004, false],
    ] as const) {
      await run(
        lab,
        'rs1',
        alive ? `/usr/local/sbin/responder port${port}` : `kill -KILL $(cat /run/responder-port${port}.pid)`,
      )
      await lab.sleep(settle + slackOf(lab))
      await lab.snapshot()
      pool = changePool(service, pool, { server: `10.0.0.10:${port}`, alive })
      expect(table(lab), `${port} ${alive ? 'up' : 'down'}: ${JSON.stringify(pool)}`).toEqual(poolTable(service, pool))
    }
  })

  test('a service below quorum + hysteresis starts with its sorry server', async ({ lab }) => {
    await run(lab, 'd1', '/usr/lib/lvslab/service keepalived stop; while pgrep -x keepalived; do sleep 0.1; done')
    await run(lab, 'd1', "sed -i 's/quorum 3/quorum 4/' /etc/keepalived/conf.d/services.conf")
    await run(lab, 'd1', '/usr/lib/lvslab/service keepalived start')
    await lab.sleep(5000)
    await lab.snapshot()
    const changed = { ...service, quorum: 4 }
    expect(table(lab)).toEqual(poolTable(changed, startPool(changed)))
    expect(Object.keys(table(lab))).toContain('10.0.0.10:9009')
  })
})

describe('VRRP', () => {
  const names = instances.map(instance => instance.name)
  const vipOf = (name: string): string => instanceOf(plan, 'd1', name).addresses[0]?.address ?? ''

  const untilTaken = (lab: Lab, name: string, node: string, ms: number): Promise<boolean> =>
    lab.until({ kind: 'owner', address: vipOf(name), node, others: [] }, ms)

  /** Waits until a director has taken the VIPs, and holds each against its bound. */
  const moved = async (
    lab: Lab,
    cause: CommandResult,
    title: string,
    node: string,
    bounds: Record<string, Bound | undefined>,
  ): Promise<void> => {
    const promised = Object.entries(bounds).flatMap(([name, bound]) => (bound ? [{ name, bound }] : []))
    expect(promised.length).toBeGreaterThan(0)
    await Promise.all(promised.map(({ name, bound }) => untilTaken(lab, name, node, bound.maxMs + 5000)))
    for (const { name, bound } of promised)
      within(lab, `${name}, ${title}`, cause, whenTaken(lab, vipOf(name), node, cause.started), bound)
  }
  const each = (bound: (name: string) => Bound | undefined, of = names): Record<string, Bound | undefined> =>
    Object.fromEntries(of.map(name => [name, bound(name)]))

  /** d1 ends and begins anew, and takes each VIP back within its bound. */
  const beginAnew = async (lab: Lab, delay = 0): Promise<CommandResult> => {
    await run(lab, 'd1', '/usr/lib/lvslab/service keepalived stop')
    await Promise.all(names.map(name => untilTaken(lab, name, 'd2', 5000)))
    const start = await run(lab, 'd1', '/usr/lib/lvslab/service keepalived start')
    await moved(
      lab,
      start,
      'return',
      'd1',
      each(name => preemptBound(instanceOf(plan, 'd1', name), instanceOf(plan, 'd2', name), delay)),
    )
    return start
  }

  test('a clean stop, the return, and preempt_delay', async ({ lab }) => {
    const stop = await run(lab, 'd1', '/usr/lib/lvslab/service keepalived stop')
    await moved(
      lab,
      stop,
      'stop',
      'd2',
      each(name => stopBound(instanceOf(plan, 'd1', name), instanceOf(plan, 'd2', name))),
    )
    const start = await run(lab, 'd1', '/usr/lib/lvslab/service keepalived start')
    // an instance with a tracked script waits for the first run of it: at once, and of no length
    await moved(
      lab,
      start,
      'return',
      'd1',
      each(name => preemptBound(instanceOf(plan, 'd1', name), instanceOf(plan, 'd2', name))),
    )
    for (const name of names) {
      const { virtualRouterId } = instanceOf(plan, 'd1', name)
      const advert = eventsOf(lab.history, 'advert').find(one => one.vrid === virtualRouterId)
      expect(advert, name).toMatchObject({ interval: wireInterval(instanceOf(plan, 'd1', name)) })
    }
  })

  test('vrrp_startup_delay puts the return off', async ({ lab }) => {
    const delay = 4_000
    await run(lab, 'd1', "sed -i 's/router_id d1/&\\nvrrp_startup_delay 4/' /etc/keepalived/keepalived.conf")
    const start = await beginAnew(lab, delay)
    for (const name of names)
      expect(whenTaken(lab, vipOf(name), 'd1', start.started), name).toBeGreaterThan(start.started + delay)
  })

  test('init_fail has no effect: the first run of a tracked script decides alone', async ({ lab }) => {
    await run(lab, 'd1', "sed -i 's/rise 2/rise 5\\n    init_fail/' /etc/keepalived/conf.d/vrrp.conf")
    await beginAnew(lab)
  })

  test('a frozen keepalived, and a link that is down', async ({ lab }) => {
    const freeze = await run(lab, 'd1', 'pkill -STOP -x keepalived')
    await moved(
      lab,
      freeze,
      'frozen',
      'd2',
      each(name => freezeBound(instanceOf(plan, 'd1', name), instanceOf(plan, 'd2', name))),
    )
    const thaw = await run(lab, 'd1', 'pkill -CONT -x keepalived')
    const given = await lab.until({ kind: 'owner', address: vipOf('VI_PLAIN'), node: 'd1', others: ['d2'] }, 5000)
    expect(given, `d2 gives the VIP up once d1 is awake (${thaw.ended})`).toBe(true)
    await lab.sleep(10_000)

    const cut = await run(lab, 'd1', 'ip link set eth0 down')
    await moved(
      lab,
      cut,
      'link down',
      'd2',
      each(name => linkDownBound(instanceOf(plan, 'd1', name), instanceOf(plan, 'd2', name))),
    )
    await run(lab, 'd1', 'ip link set eth0 up')
  })

  for (const [failure, file] of [
    ['exits', '/run/chk-fails'],
    ['hangs', '/run/chk-hangs'],
  ] as const) {
    test(`a tracked script that ${failure}: FAULT, and a lower priority`, async ({ lab }) => {
      const tracking = ['VI_FAULT', 'VI_WEIGHT']
      const bounds = (bound: typeof trackedScriptBound, from: string, to: string) =>
        each(name => {
          const [tracked] = instanceOf(plan, 'd1', name).trackScripts
          return tracked && bound(instanceOf(plan, from, name), instanceOf(plan, to, name), tracked, failure)
        }, tracking)
      const broken = await run(lab, 'd1', `touch ${file}`)
      await moved(lab, broken, `script ${failure}`, 'd2', bounds(trackedScriptBound, 'd1', 'd2'))
      expect(whenTaken(lab, vipOf('VI_PLAIN'), 'd2', broken.started), 'VI_PLAIN tracks nothing').toBeUndefined()
      const healed = await run(lab, 'd1', `rm ${file}`)
      await moved(lab, healed, 'script back', 'd1', bounds(trackedScriptBackBound, 'd1', 'd2'))
    })
  }

  test('nopreempt leaves the VIP where it is, and a weight below the gap moves nothing', async ({ lab }) => {
    await run(
      lab,
      'd1',
      "sed -i 's/preempt_delay 5/nopreempt/; s/weight -60/weight -40/' /etc/keepalived/conf.d/vrrp.conf",
    )
    const stop = await run(lab, 'd1', '/usr/lib/lvslab/service keepalived stop')
    await untilTaken(lab, 'VI_DELAY', 'd2', 5000)
    const start = await run(lab, 'd1', '/usr/lib/lvslab/service keepalived start')
    await untilTaken(lab, 'VI_WEIGHT', 'd1', 10_000)
    const fails = await run(lab, 'd1', 'touch /run/chk-fails')
    await lab.sleep(20_000)
    expect(whenTaken(lab, vipOf('VI_DELAY'), 'd2', stop.started)).toBeDefined()
    expect(whenTaken(lab, vipOf('VI_DELAY'), 'd1', start.started), 'nopreempt').toBeUndefined()
    expect(whenTaken(lab, vipOf('VI_FAULT'), 'd2', fails.started)).toBeDefined()
    expect(whenTaken(lab, vipOf('VI_WEIGHT'), 'd2', fails.started), '110 against 100').toBeUndefined()
  })
})

describe('the kernel', () => {
  const service = serviceOn(8080)
  const timeout = service.persistence ?? Number.NaN
  /** Seconds left to each entry of the client in d1's table of connections. */
  const entries = async (lab: Lab): Promise<{ template: number | undefined; connections: number[] }> => {
    const { stdout } = await run(lab, 'd1', 'ipvsadm -Lnc')
    const lines = stdout.split('\n').filter(line => line.includes(`${service.address}:${service.port}`))
    const left = (line: string): number => {
      const [minutes, rest] = (line.trim().split(/\s+/)[1] ?? '').split(':').map(Number)
      return (minutes ?? 0) * 60 + (rest ?? 0)
    }
    const isTemplate = (line: string): boolean => line.includes('10.0.0.50:0')
    const template = lines.find(isTemplate)
    return {
      template: template === undefined ? undefined : left(template),
      connections: lines.filter(l => !isTemplate(l)).map(left),
    }
  }
  const connect = (lab: Lab): Promise<CommandResult> =>
    run(lab, 'c1', `curl -sS -m 5 http://${service.address}:${service.port}/`)

  test('persistence: put off by 60 s while an entry is left, and 60 s from then on', {
    meta: { labTime: 240 },
  }, async ({ lab }) => {
    await untilPool(lab, service, keys(service), 60_000)
    const asked = await connect(lab)
    const first = await entries(lab)
    expect(first.template).toBeLessThanOrEqual(timeout / 1000)
    const lastEntry = TCP_TIMEOUTS.FIN_WAIT
    expect(first.connections).toHaveLength(1)
    expect(first.connections[0]).toBeGreaterThan(lastEntry / 1000 - 5)

    const bound = releaseBound(timeout, lastEntry)
    const tick = 1000
    const released = asked.ended + templateRelease(timeout, lastEntry)
    await lab.at(released - 3 * tick, () => lab.mark('the template is about to go'))
    expect((await entries(lab)).template, `before ${bound.formula}`).toBeDefined()
    await lab.at(asked.ended + bound.maxMs, () => lab.mark('the template is gone'))
    expect((await entries(lab)).template, `after ${bound.formula}`).toBeUndefined()

    await connect(lab)
    await lab.sleep(timeout + 5 * tick)
    await connect(lab)
    const renewed = (await entries(lab)).template
    expect(renewed).toBeGreaterThan(templateTimeout(timeout, lastEntry) / 1000 - 5)
  })

  test('its timeouts and sysctls are the ones that the model has', async ({ lab }) => {
    const read = await run(lab, 'd1', 'cd /proc/sys/net/ipv4/vs && for f in *; do echo "$f=$(cat $f)"; done')
    const found = Object.fromEntries(
      read.stdout.split('\n').flatMap(line => {
        const [name, value] = line.split('=')
        return name && value !== undefined ? [[name, value.replace(/\s+/g, ' ')]] : []
      }),
    )
    expect(found).toMatchObject(IPVS_SYSCTLS)
    const timeouts = await run(lab, 'd1', 'ipvsadm -L --timeout')
    const { tcp, tcpfin, udp } = SETTABLE_TIMEOUTS
    expect(timeouts.stdout).toContain([tcp, tcpfin, udp].map(ms => ms / 1000).join(' '))
  })
})
