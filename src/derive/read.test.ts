import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readDirector } from '../config/keepalived/director.ts'
import { loadTopology } from '../topology/load.ts'
import { deriveFrom } from './read.ts'
import { addresses, instance } from './testing.ts'
import { writeDraft } from './write.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'lvslab-derive-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** One file for all directors, in a folder for each host. */
const shared = (hosts: string[], text: string): string => {
  const pair = path.join(dir, 'pair')
  for (const host of hosts) {
    mkdirSync(path.join(pair, host), { recursive: true })
    writeFileSync(path.join(pair, host, 'keepalived.conf'), text)
  }
  return pair
}

const own = (...hosts: string[]): string =>
  instance({ more: hosts.map((host, n) => `@${host} unicast_src_ip 10.0.0.${n + 2}`).join('\n') })

describe('lines of one host (@host)', () => {
  it('are those of the folder', () => {
    const { draft } = deriveFrom(shared(['d1', 'd2'], own('d1', 'd2')))
    expect([addresses(draft, 'd1'), addresses(draft, 'd2')]).toEqual([['eth0 lan 10.0.0.2'], ['eth0 lan 10.0.0.3']])
  })

  it('are of the host name up to its first dot, and so is the node, whose keepalived looks for them again', async () => {
    const hosts = ['lb1.example.com', 'lb2.example.com']
    const { draft, directors } = deriveFrom(shared(hosts, own('lb1', 'lb2')))
    expect([addresses(draft, 'lb1'), addresses(draft, 'lb2')]).toEqual([['eth0 lan 10.0.0.2'], ['eth0 lan 10.0.0.3']])
    expect(draft.questions).toEqual([])
    await writeDraft(draft, directors, path.join(dir, 'lab'))
    const nodes = loadTopology(path.join(dir, 'lab')).nodes.filter(node => node.role === 'director')
    const configs = nodes.map(({ name, files }) => readDirector({ node: name, root: files ?? '' }))
    expect(configs.map(config => config.instances[0]?.sourceAddress)).toEqual(['10.0.0.2', '10.0.0.3'])
  })

  it('are of nobody where no node can be called like the host, which is told', () => {
    const { draft } = deriveFrom(shared(['LB_1', 'LB_2'], own('LB_1', 'LB_2')))
    expect(addresses(draft, 'lb-1')).toEqual(['eth0 lan 10.0.0.201'])
    expect(draft.questions).toEqual(
      ['1', '2'].map(
        n =>
          `lb-${n}: its configuration asks for the host LB_${n} (@LB_${n}, $_INSTANCE), and no node can have that name: it is read as that of lb-${n}`,
      ),
    )
  })

  it('are of nobody where two hosts are called alike up to the first dot, which is told', () => {
    const { draft } = deriveFrom(shared(['lb.a.example', 'lb.b.example'], own('lb')))
    expect(draft.nodes.filter(node => node.role === 'director').map(node => node.name)).toEqual([
      'lb-a-example',
      'lb-b-example',
    ])
    expect(draft.questions).toEqual(
      ['a', 'b'].map(
        n =>
          `lb-${n}-example: its configuration asks for the host lb (@lb, $_INSTANCE), and two directors have that name: it is read as that of lb-${n}-example`,
      ),
    )
  })

  it('that no host is asked for in raise no question, however it is called', () => {
    expect(deriveFrom(shared(['LB_1', 'LB_2'], instance())).draft.questions).toEqual([])
  })
})
