import { describe, expect, inject } from 'vitest'
import { eventsOf, longestGap, requestsOf } from '../src/history/queries.ts'
import { schedulingOf } from '../src/judge/limit.ts'
import type { Lab } from '../src/lab/lab.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { SLACK_MS } from '../src/verify/scenario.ts'

const test = labTest('topologies/keepalived-dr')

/** ms after the origin of the fork */
const CRASH_AT = 6_000

/** From the crash of d1 to the first advert of d2, ms: the crash is scheduled inside the lab. */
const takeover = async (lab: Lab): Promise<number> => {
  await Promise.all([
    lab.at(lab.origin + CRASH_AT, () => lab.inject('keepalived-crash', 'd1')),
    lab.at(lab.origin + CRASH_AT + 4_500, () => lab.mark('over')),
  ])
  const [crash] = eventsOf(lab.history, 'fault')
  const advert = eventsOf(lab.history, 'advert').find(event => event.node === 'd2' && event.t > (crash?.t ?? 0))
  const late = (crash?.t ?? Number.NaN) - (lab.origin + CRASH_AT)
  expect(late).toBeGreaterThanOrEqual(0)
  // on the real clock the host's load reaches the lab
  expect(late).toBeLessThan(inject('clock') === 'real' ? schedulingOf(lab.history, SLACK_MS) : 5)
  return (advert?.t ?? Number.NaN) - (crash?.t ?? 0)
}

describe("the lab's clock", () => {
  let first = Number.NaN

  test('a crash that is scheduled inside is followed by a takeover', async ({ lab }) => {
    first = await takeover(lab)
    expect(first).toBeGreaterThan(2_000)
  })

  test('the same crash in another fork is the same run', async ({ lab }) => {
    const promised = inject('clock') === 'real' ? 1_000 : 5
    expect(Math.abs((await takeover(lab)) - first)).toBeLessThan(promised)
  })

  test('steps begin in the order of their moments, not of the calls', async ({ lab }) => {
    await Promise.all([
      lab.at(lab.origin + 5_000, () => lab.mark('second')),
      lab.at(lab.origin + 4_000, () => lab.mark('first')),
    ])
    const marks = eventsOf(lab.history, 'mark')
    expect(marks.map(mark => mark.label)).toEqual(['first', 'second'])
    for (const [n, mark] of marks.entries()) {
      const late = mark.t - (lab.origin + 4_000 + n * 1_000)
      expect(late).toBeGreaterThanOrEqual(0)
      expect(late).toBeLessThan(20)
    }
  })

  test('a moment that is past is refused, and so is a step that asks nothing', async ({ lab }) => {
    await expect(lab.at(lab.origin, () => lab.mark('too late'))).rejects.toMatchObject({
      code: 'AGENT_REFUSED',
      message: expect.stringMatching(/was \d+\.\d ms ago/),
      remedy: expect.stringContaining('lab.origin + 5_000'),
    })
    await expect(lab.at(0, () => lab.mark('too late'))).rejects.toMatchObject({ code: 'LAB_MOMENT' })
    await expect(lab.at(lab.origin + 60_000, async () => 'nothing')).rejects.toMatchObject({ code: 'LAB_AT_NOTHING' })
    await lab.mark('now') // and leaves nothing behind that would put this off
    expect(eventsOf(lab.history, 'mark')[0]?.t).toBeLessThan(lab.origin + 60_000)
  })

  test('60 s pass inside without a wait outside', async ({ lab }) => {
    const before = await lab.now()
    await lab.sleep(inject('clock') === 'real' ? 3_000 : 60_000)
    expect((await lab.now()) - before).toBeGreaterThanOrEqual(inject('clock') === 'real' ? 3_000 : 60_000)
  })
})

describe('a capture', () => {
  test('sees the same gap as the requests of a probe', async ({ lab }) => {
    const filter = 'src host 10.0.0.100 and tcp and (ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2)) > 0'
    const stop = await lab.capture({ capture: 'answers', node: 'c1', device: 'eth0', filter })
    const probe = await lab.http({ probe: 'clients', client: 'c1', url: 'http://10.0.0.100/', rate: 25 })
    await lab.sleep(1_000)
    const heal = await lab.inject('keepalived-stop', 'd1')
    await lab.until({ kind: 'owner', address: '10.0.0.100', node: 'd2', others: ['d1'] }, 3_000)
    await lab.sleep(1_000)
    await probe.stop()
    await stop()
    await heal()
    const packets = eventsOf(lab.history, 'packet')
    const answered = requestsOf(lab.history, 'clients').filter(request => request.outcome === 'answered')
    expect(packets.length).toBeGreaterThanOrEqual([...answered].length)
    expect(new Set(packets.map(packet => packet.source))).toEqual(new Set(['10.0.0.100']))
    const silences = packets.map((packet, n) => packet.t - (packets[n - 1]?.t ?? packet.t))
    const gap = longestGap(requestsOf(lab.history, 'clients'), 0)?.length ?? Number.NaN
    expect(gap).toBeGreaterThan(500)
    expect(Math.abs(Math.max(...silences) - gap)).toBeLessThan(1000 / 25)
  })

  test('with a filter that pcap does not know is refused with the words of tcpdump', async ({ lab }) => {
    const options = { capture: 'wrong', node: 'c1', device: 'eth0', filter: 'porrt 80' }
    await expect(lab.capture(options)).rejects.toThrow(/syntax error|unknown/)
  })
})
