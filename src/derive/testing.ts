import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { readDirector } from '../config/keepalived/director.ts'
import type { DirectorConfig } from '../model/types.ts'
import { deriveTopology } from './derive.ts'
import type { Draft, DraftNode } from './draft.ts'

/** What the tests of what is derived have in common. */

/** What a director reads that has this text for a keepalived.conf. */
export const read = (node: string, text: string): DirectorConfig => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'lvslab-derive-'))
  try {
    mkdirSync(path.join(root, 'etc/keepalived'), { recursive: true })
    writeFileSync(path.join(root, 'etc/keepalived/keepalived.conf'), text)
    return readDirector({ node, root })
  } finally {
    rmSync(root, { recursive: true })
  }
}

interface Instance {
  device?: string
  vips?: string[]
  more?: string
}

export const instance = ({ device = 'eth0', vips = ['10.0.0.100/24'], more = '' }: Instance = {}): string => `
vrrp_instance VI_${device} {
    interface ${device}
    virtual_router_id 50
    priority 100
    ${more}
    virtual_ipaddress {
        ${vips.join('\n        ')}
    }
}`

export const CHECK = 'TCP_CHECK {\n        }'

export const service = (vip: string, kind: string, servers: string[], check = CHECK): string => `
virtual_server ${vip} {
    lvs_sched rr
    lvs_method ${kind}
    protocol TCP
    ${servers.map(server => `real_server ${server} {\n        weight 1\n        ${check}\n    }`).join('\n    ')}
}`

/** Derived of two directors that have the same configuration. */
export const pair = (...parts: string[]): Draft =>
  deriveTopology(
    'pair',
    ['d1', 'd2'].map(node => read(node, parts.join('\n'))),
  )

export const node = (draft: Draft, name: string): DraftNode => {
  const found = draft.nodes.find(one => one.name === name)
  if (!found) throw new Error(`no node ${name} among ${draft.nodes.map(one => one.name).join(', ')}`)
  return found
}
export const addresses = (draft: Draft, name: string) =>
  node(draft, name).interfaces.map(one => `${one.name} ${one.network} ${one.address}`)
