import { chmodSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { nodeFiles } from './node-files.ts'
import { aNode, folderWith } from './testing.ts'

test('every file comes with its place, its content and whether it may be executed', () => {
  const files = folderWith({ 'var/www/html/index.html': 'd1\n', 'etc/check.sh': '#!/bin/sh\n', '.hidden': '' })
  chmodSync(join(files, 'etc/check.sh'), 0o700)
  chmodSync(join(files, 'var/www/html/index.html'), 0o666)
  expect(nodeFiles(aNode({ files }))).toEqual([
    { path: '/.hidden', content: Buffer.from(''), mode: 0o644 },
    { path: '/etc/check.sh', content: Buffer.from('#!/bin/sh\n'), mode: 0o755 },
    { path: '/var/www/html/index.html', content: Buffer.from('d1\n'), mode: 0o644 },
  ])
  expect(nodeFiles(aNode())).toEqual([])
})

test('rules of the packet filter that stand in topology.yaml are a file of the node', () => {
  const iptables = ['-t mangle -A PREROUTING -p tcp --dport 80 -j MARK --set-mark 8']
  const content = Buffer.from('*mangle\n-A PREROUTING -p tcp --dport 80 -j MARK --set-mark 8\nCOMMIT\n')
  const rules = { path: '/etc/iptables/rules.v4', content, mode: 0o644 }
  expect(nodeFiles(aNode({ iptables }))).toEqual([rules])
  const files = folderWith({ 'etc/a': '', 'var/b': '' })
  expect(nodeFiles(aNode({ iptables, files })).map(file => file.path)).toEqual(['/etc/a', rules.path, '/var/b'])
})

test('a link is refused, wherever it leads', () => {
  const files = folderWith({ 'etc/a': '' })
  symlinkSync('a', join(files, 'etc/b'))
  expect(() => nodeFiles(aNode({ files }))).toThrow(
    expect.objectContaining({
      code: 'TOPOLOGY_FILE',
      exitCode: 2,
      message: expect.stringMatching(/etc\/b is a symbolic link/),
    }),
  )
  const folder = folderWith({})
  symlinkSync('/etc', join(folder, 'd1'))
  expect(() => nodeFiles(aNode({ files: join(folder, 'd1') }))).toThrow(/d1 is a symbolic link/)
})

test.each(['proc/sys/x', 'sys/x', 'dev/x', 'etc/lvslab/node.sh'])("%s is not the user's place", path => {
  expect(() => nodeFiles(aNode({ files: folderWith({ [path]: '' }) }))).toThrow(/would be laid over/)
})

test('a folder that is gone is told', () => {
  expect(() => nodeFiles(aNode({ files: '/nowhere/d1' }))).toThrow(/^\/nowhere\/d1 cannot be read: ENOENT/)
})
