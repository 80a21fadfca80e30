import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { loadTopology } from '../topology/load.ts'
import type { DraftNode } from './draft.ts'
import { type Derived, deriveFrom } from './read.ts'
import { writeDraft } from './write.ts'

const folders: string[] = []
const folder = (): string => {
  const made = mkdtempSync(path.join(os.tmpdir(), 'lvslab-derive-'))
  folders.push(made)
  return made
}
afterEach(() => {
  for (const one of folders.splice(0)) rmSync(one, { recursive: true })
})

/** What is derived of a folder with these files. */
const derived = (files: Record<string, string>, below = ''): Derived => {
  const dir = folder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    writeFileSync(path.join(dir, name), text)
  }
  return deriveFrom(path.join(dir, below))
}
const node = ({ draft }: Derived, name: string): DraftNode | undefined => draft.nodes.find(one => one.name === name)
const codeOf = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

const section = (lines = '') =>
  `virtual=10.0.0.100:80\n\treal=10.0.0.11:80 gate\n\treal=10.0.0.12:80 gate\n${lines.replace(/^(?=.)/gm, '\t')}`
const ldirectord = (lines = '') => derived({ 'd1/ldirectord.cf': section(lines) })
const TABLE = '-A -t 10.0.0.100:80 -s rr\n-a -t 10.0.0.100:80 -r 10.0.0.11:80 -m -w 1\n'

describe('a director without VRRP', () => {
  it('has the addresses of its services for good, which is a question', () => {
    const { draft } = ldirectord('fallback=127.0.0.1:80 gate')
    expect(draft.nodes.map(one => one.name)).toEqual(['c1', 'd1', 'rs1', 'rs2'])
    expect(draft.nodes[1]).toMatchObject({
      interfaces: [{ name: 'eth0', network: 'lan', address: '10.0.0.201' }],
      loopback: ['10.0.0.100/32'],
      files: { '/var/www/html/index.html': 'd1 sorry\n' },
    })
    expect(draft.nodes[2]).toMatchObject({ loopback: ['10.0.0.100/32'], interfaces: [{ address: '10.0.0.11' }] })
    expect(draft.questions).toEqual(['d1: nothing says who has 10.0.0.100: d1 has it on lo, and keeps it'])
  })

  it('has those of IPv6 on its interface, which is asked for them', () => {
    const six = derived({
      'd1/ipvsadm.rules': '-A -t [fd00::9]:80 -s rr\n-a -t [fd00::9]:80 -r [fd00::11]:80 -g -w 1\n',
    })
    expect(node(six, 'd1')).toMatchObject({
      loopback: [],
      interfaces: [{ name: 'eth0', network: 'lan', addresses: ['fd00::9/64', 'fd00::201/64'] }],
    })
    expect(node(six, 'rs1')).toMatchObject({ loopback: ['fd00::9/128'], interfaces: [{ network: 'lan' }] })
    expect(six.draft.questions).toEqual(['d1: nothing says who has fd00::9: d1 has it on eth0, and keeps it'])
  })

  it('forwards what it masquerades', () => {
    const nat = derived({ 'd1/etc/sysconfig/ipvsadm': TABLE.replace('10.0.0.11', '192.168.7.11') })
    expect(node(nat, 'd1')).toMatchObject({
      interfaces: [{ network: 'lan' }, { network: 'lan2', address: '192.168.7.201' }],
      sysctls: { 'net.ipv4.ip_forward': 1 },
    })
    expect(node(nat, 'rs1')?.routes).toEqual(['default via 192.168.7.201'])
    expect(nat.draft.questions.join('\n')).not.toContain('failover')
  })

  it('has real servers that answer what ldirectord asks', () => {
    const stub = (lines: string) => node(ldirectord(lines), 'rs1')?.files['/etc/apache2/conf-enabled/stub.conf']
    expect(stub('request="health"')).toBe('AliasMatch "^/health$" /var/www/html/index.html\n')
    expect(stub('checkport=8080')).toBe('Listen 8080\n')
    expect(stub('service=https\ncheckport=8443')).toContain('<VirtualHost *:8443>')
    expect(stub('checktype=connect\ncheckport=81')).toBe('Listen 81\n')
    expect(stub('checktype=ping')).toBeUndefined()
    expect(stub('service=none')).toBeUndefined()
    expect(stub('protocol=udp\nchecktype=connect\ncheckport=81')).toBeUndefined()
    expect(stub('checktype=on')).toBeUndefined()
    const smtp = node(ldirectord('service=smtp\ncheckport=2525'), 'rs1')?.files['/etc/rc.local']
    expect(smtp).toContain('/usr/local/sbin/stub smtp 2525\n')
  })

  it.each([
    ['receive="alive"', 'rs1: checktype=negotiate wants a page with a certain regex at /'],
    ['checktype=external\ncheckcommand="/usr/local/bin/ask"', 'rs1: checktype=external runs /usr/local/bin/ask'],
    ['service=ftp', 'rs1: service=ftp is asked on port 80'],
    ['service=dns', 'rs1: service=dns is asked on port 80'],
  ])('asks for what a stub cannot know: %j', (lines, question) => {
    expect(ldirectord(lines).draft.questions.join('\n')).toContain(question)
  })

  it('has its file where a node of a lab has it, and all that was given of it', async () => {
    const write = async (from: Derived): Promise<string> => {
      const to = path.join(folder(), 'lab')
      await writeDraft(from.draft, from.directors, to)
      expect(loadTopology(to).nodes.find(one => one.name === 'd1')?.role).toBe('director')
      return path.join(to, 'd1')
    }
    const flat = await write(derived({ 'd1/ipvsadm.rules': TABLE, 'd1/notes.txt': '' }))
    expect(readFileSync(path.join(flat, 'etc/ipvsadm.rules'), 'utf8')).toBe(TABLE)
    const file = await write(derived({ 'd1/ldirectord.cf': section() }, 'd1/ldirectord.cf'))
    expect(readFileSync(path.join(file, 'etc/ha.d/ldirectord.cf'), 'utf8')).toBe(section())
    const redHat = await write(derived({ 'd1/etc/sysconfig/ipvsadm': TABLE, 'd1/etc/rc.local': '' }))
    expect(readFileSync(path.join(redHat, 'etc/ipvsadm.rules'), 'utf8')).toBe(TABLE)
    expect(existsSync(path.join(redHat, 'etc/rc.local'))).toBe(true)
  })

  it('is taken for one with keepalived, or with ldirectord, where it has their files too', () => {
    const keepalived =
      'vrrp_instance V {\n interface eth7\n virtual_router_id 5\n priority 9\n virtual_ipaddress {\n 10.0.0.9/24\n }\n}\n'
    const both = derived({ 'd1/keepalived.conf': keepalived, 'd1/ipvsadm.rules': TABLE, 'd1/ldirectord.cf': section() })
    expect(node(both, 'd1')).toMatchObject({ loopback: [], interfaces: [{ name: 'eth7' }] })
    for (const file of ['ldirectord.cf', 'ipvsadm.rules'])
      expect(both.draft.questions).toContain(`d1: ${file} is beside its keepalived.conf: what it says is not judged`)
    const tables = derived({ 'd1/ipvsadm.rules': TABLE, 'd1/ldirectord.cf': section() })
    expect(tables.directors[0]?.from).toHaveProperty(['/etc/ha.d/ldirectord.cf'])
  })

  it('may be one with keepalived, which has services and no vrrp_instance', () => {
    const text =
      'virtual_server 10.0.0.100 80 {\n lvs_sched rr\n lvs_method DR\n protocol TCP\n real_server 10.0.0.11 80 {\n TCP_CHECK {\n }\n }\n}\n'
    const alone = derived({ 'd1/keepalived.conf': text })
    expect(node(alone, 'd1')).toMatchObject({ loopback: ['10.0.0.100/32'], interfaces: [{ name: 'eth0' }] })
    expect(node(alone, 'rs1')).toMatchObject({ loopback: ['10.0.0.100/32'] })
    expect(alone.draft.questions).toEqual(['d1: nothing says who has 10.0.0.100: d1 has it on lo, and keeps it'])
    const own = derived({ 'd1/keepalived.conf': `static_ipaddress {\n 10.0.0.100/32 dev lo\n}\n${text}` })
    expect(node(own, 'd1')?.loopback).toEqual([])
    expect(own.draft.questions).toEqual([])
    expect(codeOf(() => derived({ 'd1/keepalived.conf': text, 'd2/keepalived.conf': text }))).toBe('DERIVE_TABLES')
    expect(codeOf(() => derived({ 'd1/keepalived.conf': text.replace(/[\d.]+ 80/, 'fwmark 7') }))).toBe(
      'DERIVE_NOTHING',
    )
  })

  it('has an address where static_ipaddress puts it', () => {
    const server = 'real_server 192.168.7.11 80 {\n TCP_CHECK {\n }\n }\n'
    const nat = (address: string) =>
      `virtual_server ${address} 80 {\n lvs_method NAT\n protocol TCP\n ${server.replace('192.168.7.11', address.includes(':') ? 'fd07::11' : '192.168.7.11')}}\n`
    const given = 'static_ipaddress {\n 10.0.0.100/24 dev ens3\n 192.168.7.1/24 dev ens4\n}\n'
    const two = derived({ 'd1/keepalived.conf': `${given}${nat('10.0.0.100')}` })
    expect(node(two, 'd1')).toMatchObject({
      loopback: [],
      interfaces: [
        { name: 'ens3', network: 'lan' },
        { name: 'ens4', network: 'lan2' },
      ],
    })
    const further = derived({ 'd1/keepalived.conf': given + nat('10.0.0.100') + nat('10.0.0.101') })
    expect(node(further, 'd1')?.loopback).toEqual(['10.0.0.101/32'])
    expect(node(further, 'd1')?.interfaces.map(({ name }) => name)).toEqual(['ens3', 'ens4'])
    const six = given.replace('10.0.0.100/24', 'fd00::9/64').replace('192.168.7.1/24', 'fd07::1/64')
    const both = derived({ 'd1/keepalived.conf': six + nat('fd00::9') + nat('fd00::8') })
    expect(node(both, 'd1')).toMatchObject({
      interfaces: [{ name: 'ens3', addresses: ['fd00::8/64', 'fd00::201/64'] }, { name: 'ens4' }],
    })
    expect(both.draft.questions).toContain('d1: nothing says who has fd00::8: d1 has it on ens3, and keeps it')
  })

  it('has an address that its own rc.local puts on lo from that alone', () => {
    const dir = folder()
    for (const [name, text] of [
      ['etc/ipvsadm.rules', TABLE + TABLE.replaceAll('.100', '.101')],
      ['etc/rc.local', '#!/bin/sh -e\nip addr add 10.0.0.100/32 dev lo\n'],
    ] as const) {
      mkdirSync(path.join(dir, 'd1/etc'), { recursive: true })
      writeFileSync(path.join(dir, 'd1', name), text, { mode: 0o755 })
    }
    const d1 = deriveFrom(path.join(dir, 'd1'))
    expect(node(d1, 'd1')?.loopback).toEqual(['10.0.0.101/32'])
    expect(d1.draft.questions).toEqual(['d1: nothing says who has 10.0.0.101: d1 has it on lo, and keeps it'])
  })

  it('is refused where its addresses cannot be told', () => {
    expect(codeOf(() => derived({ 'd1/ipvsadm.rules': '-A -f 5 -s rr\n' }))).toBe('DERIVE_NOTHING')
    expect(codeOf(() => derived({ 'd1/ipvsadm.rules': '' }))).toBe('DERIVE_NOTHING')
    expect(codeOf(() => derived({ 'd1/ipvsadm.rules': TABLE, 'd2/ipvsadm.rules': TABLE }))).toBe('DERIVE_TABLES')
  })

  it('comes out of the topologies as services that are reached', () => {
    for (const name of ['ldirectord-dr', 'ipvsadm-dr', 'ipvsadm-nat', 'ipvsadm-tun', 'ipvsadm-fullnat']) {
      const dir = path.join(folder(), 'd1')
      cpSync(path.resolve(import.meta.dirname, '../../topologies', name, 'd1'), dir, { recursive: true })
      const { draft } = deriveFrom(dir)
      expect(draft.nodes.find(one => one.role === 'director')?.loopback).toHaveLength(1)
    }
  })
})
