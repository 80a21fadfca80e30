import { chmodSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { addressesOfScript, startedByScript } from './rc-local.ts'
import { folderWith } from './testing.ts'

test('the addresses that a script puts on lo, where it is run', () => {
  const root = folderWith({
    'etc/rc.local': `#!/bin/sh -e
ip addr add 10.0.0.100/32 dev lo
  ip -4 address replace 10.0.0.101 scope host dev lo # kept
ip a add 10.0.0.102/32 label lo:2 dev lo || true
ip addr add 10.0.0.103/32 dev lo2
ip addr add 10.0.0.104/24 dev eth0
# ip addr add 10.0.0.105/32 dev lo
ip route add 10.0.0.106/32 dev lo
`,
  })
  expect(addressesOfScript(root)).toEqual([])
  chmodSync(join(root, 'etc/rc.local'), 0o755)
  expect(addressesOfScript(root)).toEqual(['10.0.0.100', '10.0.0.101', '10.0.0.102'])
  expect(addressesOfScript(folderWith({}))).toEqual([])
})

describe('what a script starts', () => {
  const started = (text: string) => {
    const root = folderWith({ 'etc/rc.local': text })
    chmodSync(join(root, 'etc/rc.local'), 0o755)
    return startedByScript(root).map(({ program, port, byUdpAlone }) => `${program} ${port}${byUdpAlone ? ' udp' : ''}`)
  }

  test('is the echo of the lab, however it is called', () => {
    expect(started('#!/bin/sh -e\n/usr/lib/lvslab/echo 514 udp\n  /usr/lib/lvslab/echo 9\n')).toEqual([
      'echo 514 udp',
      'echo 9',
    ])
    expect(started('/usr/lib/lvslab/echo\n/usr/lib/lvslab/service echo start\n')).toEqual(['echo 7', 'echo 7'])
    expect(started('/usr/lib/lvslab/echo 123 udp # ntp\nexec /usr/lib/lvslab/echo 124 udp\n')).toHaveLength(2)
    expect(started('/usr/lib/lvslab/echo 125 udp || true\n/usr/lib/lvslab/echo 126 udp &\n')).toHaveLength(2)
    expect(started('# /usr/lib/lvslab/echo 514 udp\n/usr/lib/lvslab/echo 1 2 3\n')).toEqual([])
  })

  test('is a derived stub', () => {
    const stub = '/usr/local/sbin/stub'
    expect(started(`${stub} smtp 25\n${stub} dns 53\n${stub} reply 1812 02\n${stub} ntp 123\n`)).toEqual([
      'smtp 25',
      'dns 53',
      'reply 1812 udp',
    ])
  })

  test('is nothing behind an exit, or where it is not executable', () => {
    const text = '/usr/lib/lvslab/echo 514 udp\nexit 0\n/usr/lib/lvslab/echo 515 udp\n'
    expect(started(text)).toEqual(['echo 514 udp'])
    expect(startedByScript(folderWith({ 'etc/rc.local': text }))).toEqual([])
  })
})
