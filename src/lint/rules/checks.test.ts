import { expect, it } from 'vitest'
import { findingsIn, placesOf, SECTION, service } from '../testing.ts'

it.each([
  ['UDP_CHECK {\n      payload hello\n      require_reply 68 XX 6-\n    }', ['9:7 line-ignored', '10:7 line-ignored']],
  ['UDP_CHECK {\n      payload 68 65\n      require_reply 68XX\n    }', []],
  ['TCP_CHECK {\n      bindto 10.0.0.300\n    }', ['9:7 address-invalid']],
  ['TCP_CHECK {\n      bindto 10.0.0.2/24\n    }', []],
])('finds what a check does not take: %j', (check, places) => {
  expect(placesOf(findingsIn({ 'a.conf': service('', check) }))).toEqual(places.map(one => `a.conf:${one}`))
})

it.each([
  ['10.0.0.11 123', 'TCP_CHECK {\n    }', true],
  ['10.0.0.11 53', 'TCP_CHECK {\n    }', false],
  ['10.0.0.11 69', 'TCP_CHECK {\n      connect_port 22\n    }', false],
  ['10.0.0.11 1812', 'UDP_CHECK {\n      require_reply\n    }', false],
])('knows what is UDP alone: %s %s', (server, check, isTold) => {
  const text = service('', check).replace('protocol TCP', 'protocol UDP').replace('10.0.0.11 80', server)
  expect(placesOf(findingsIn({ 'a.conf': text }))).toEqual(isTold ? ['a.conf:8:5 check-port'] : [])
})

it('tells of a UDP_CHECK that silence satisfies where no other check is beside it', () => {
  const found = (checks: string) => placesOf(findingsIn({ 'a.conf': service('', checks) }), 'check-silence')
  expect(found('UDP_CHECK {\n    }')).toEqual(['a.conf:8:5 check-silence'])
  expect(found('UDP_CHECK {\n    }\n    PING_CHECK {\n    }')).toEqual([])
})

it('says how long ldirectord leaves a silent server in the table', () => {
  const text = `checktimeout=3\ncheckinterval=1\n${SECTION}`
  // 1 s + 3 s
  expect(findingsIn({ 'd1/ldirectord.cf': text }, { maxDetectionMs: 3_999 })).toMatchObject([
    { code: 'detection-slow', at: { line: 4, column: 2 } },
  ])
  expect(findingsIn({ 'd1/ldirectord.cf': text }, { maxDetectionMs: 4_000 })).toEqual([])
})

it('finds a detection that takes longer than it may', () => {
  const text = service('  delay_loop 6')
  // 6 s + 2 x connect_timeout 5 s + 1 s between them
  expect(findingsIn({ 'a.conf': text }, { maxDetectionMs: 16_999 })).toMatchObject([
    { code: 'detection-slow', at: { line: 8, column: 5 } },
  ])
  expect(findingsIn({ 'a.conf': text }, { maxDetectionMs: 17_000 })).toEqual([])
})
