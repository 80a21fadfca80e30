import { chmodSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { addressesOfScript } from './rc-local.ts'
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
