import { expect, test } from 'vitest'
import type { ProbeOptions } from '../protocol.ts'
import { EXAMPLES, wrongOptions } from './wrong-options.ts'

const common = { probe: 'p', client: 'c1', timeoutMs: 1000 }
const http: ProbeOptions = { ...common, type: 'http', url: 'https://10.0.0.100/', rate: 50 }
const udp: ProbeOptions = { ...common, type: 'udp', target: '10.0.0.100:7', rate: 50 }

test.each<ProbeOptions>([
  http,
  { ...http, sources: ['10.0.0.1'], ports: [1, 65_535] },
  { ...common, type: 'curl', url: 'http://10.0.0.100/', pauseMs: 0 },
  { ...common, type: 'tcp', target: '10.0.0.100:7', connections: 1, everyMs: 100 },
  { ...udp, newPorts: true },
  { ...http, url: 'https://[fd00::100]/', sources: ['fd00::1'] },
  { ...udp, target: '[fd00::100]:7', sources: ['fd00::1'] },
])('takes %j', options => expect(wrongOptions(options)).toBeUndefined())

test('each probe has an example that can be started', () => {
  for (const type of ['http', 'curl', 'tcp', 'udp'] as const) {
    const written = EXAMPLES[type].replace(`lab.${type}(`, '').replace(/\)$/, '')
    const options = JSON.parse(written.replaceAll(/(\w+):(?= )/g, '"$1":').replaceAll("'", '"')) as ProbeOptions
    expect(wrongOptions({ ...options, type, timeoutMs: 1000 } as ProbeOptions)).toBeUndefined()
  }
})

test.each<[ProbeOptions, string]>([
  [{ ...http, rate: Number.NaN }, 'rate NaN'],
  [{ ...http, timeoutMs: 0 }, 'timeoutMs 0'],
  [{ ...http, count: 0 }, 'count 0'],
  [{ ...http, url: '10.0.0.100' }, '10.0.0.100 is no http or https URL'],
  [{ ...http, url: 'http://www.example.com/' }, 'www.example.com is a name'],
  [{ ...http, url: 'http://10.0.0.100:99999/' }, 'is no http or https URL'],
  [{ ...http, url: undefined as never }, 'undefined is no http or https URL'],
  [{ ...udp, target: undefined as never }, 'undefined is no target'],
  [{ ...http, sources: [] }, 'sources (none)'],
  [{ ...http, sources: ['fe80::1'] }, 'sources fe80::1: IPv4 addresses are needed'],
  [{ ...udp, target: '[fd00::100]:7', sources: ['10.0.0.1'] }, 'sources 10.0.0.1: IPv6 addresses are needed'],
  [{ ...udp, target: 'fd00::100:7' }, 'fd00::100:7 is no target'],
  [{ ...http, ports: [70_000] }, 'ports 70000'],
  [{ ...common, type: 'curl', url: 'http://10.0.0.100/', pauseMs: -1 }, 'pauseMs -1'],
  [{ ...common, type: 'tcp', target: '10.0.0.100:7', connections: 0, everyMs: 100 }, 'connections 0'],
  [{ ...udp, target: 'http://10.0.0.100/' }, 'http://10.0.0.100/ is no target'],
  [{ ...udp, target: '10.0.0.100:0' }, '10.0.0.100:0 is no target'],
  [{ ...udp, newPorts: true, ports: [5000] }, 'newPorts'],
])('refuses %j', (options, why) => expect(wrongOptions(options)).toContain(why))
