import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import { listening, listensTo } from './netlink.ts'

const TABLE = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
000000003f1a5c42 0   411        00000000 0        0        0     2        0        18013
0000000091d3a0fb 0   412        00000110 0        0        0     2        0        18014
00000000a56e9aa1 12  413        00000040 0        0        0     2        0        18015
0000000053b2ce0f 0   0          00000000 0        0        0     2        0        18
`

it('a process hears of changes once its socket has joined a group of rtnetlink', () => {
  expect(listensTo(TABLE, 412)).toBe(true)
})

it('a socket that asks only, one of another protocol, and that of another process hear of nothing', () => {
  expect([411, 413, 414, 41].map(pid => listensTo(TABLE, pid))).toEqual([false, false, false, false])
})

it('nobody waits for a process that ended, or could not be started', async () => {
  await expect(listening(spawn('true'))).resolves.toBeUndefined()
  const missing = spawn('/nonexistent/ip')
  missing.on('error', () => {})
  await expect(listening(missing)).resolves.toBeUndefined()
})
