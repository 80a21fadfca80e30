import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readDirector } from '../config/keepalived/director.ts'
import { loadTopology } from '../topology/load.ts'
import { deriveTopology } from './derive.ts'
import { type Draft, emptyNode } from './draft.ts'
import { writeDraft } from './write.ts'

const TOPOLOGIES = path.resolve(import.meta.dirname, '../../topologies')

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-derive-'))
})
afterEach(() => rm(dir, { recursive: true }))

const EMPTY: Draft = { name: 'empty', summary: '', networks: [], nodes: [], questions: [] }

const write = async (topology: string): Promise<void> => {
  const nodes = ['d1', 'd2']
  const roots = nodes.map(node => path.join(TOPOLOGIES, topology, node))
  const configs = nodes.map((node, n) => readDirector({ node, root: roots[n] ?? '' }))
  const directors = nodes.map((node, n) => ({ node, from: { '/': roots[n] ?? '' } }))
  await writeDraft(deriveTopology(topology, configs), directors, dir)
}

describe('a written draft', () => {
  it.each(['keepalived-dr', 'keepalived-two-pools', 'keepalived-checkers', 'keepalived-preempt', 'keepalived-fwmark'])(
    'is a topology: %s',
    async topology => {
      await write(topology)
      const { nodes } = loadTopology(dir)
      expect(nodes.filter(node => node.role === 'director').map(node => node.name)).toEqual(['d1', 'd2'])
      expect(nodes.every(node => node.role === 'client' || node.role === 'router' || node.files)).toBe(true)
    },
  )

  it('writes nothing outside its folder, whatever a configuration calls a file', async () => {
    const node = { ...emptyNode('d1', 'director'), files: { '/etc/../../../out': '' } }
    await expect(writeDraft({ ...EMPTY, nodes: [node] }, [], path.join(dir, 'lab'))).rejects.toThrow(
      '/etc/../../../out is no file of a node: it leads out of',
    )
    expect(await readdir(dir)).toEqual([])
  })

  it('has the files of the directors, and keeps what they bring', async () => {
    await write('keepalived-dr')
    expect(await readFile(path.join(dir, 'd1/etc/keepalived/keepalived.conf'), 'utf8')).toContain('include')
    const page = await readFile(path.join(TOPOLOGIES, 'keepalived-dr/d1/var/www/html/index.html'), 'utf8')
    expect(await readFile(path.join(dir, 'd1/var/www/html/index.html'), 'utf8')).toBe(page)
  })

  it('has scripts that can be run', async () => {
    await write('keepalived-checkers')
    expect((await stat(path.join(dir, 'rs1/etc/rc.local'))).mode & 0o111).toBe(0o111)
  })

  it('takes links as they are, and goes into no folder that it copies', async () => {
    const source = path.join(dir, 'pair')
    await mkdir(path.join(source, 'available'), { recursive: true })
    await writeFile(path.join(source, 'available/web.conf'), '')
    await symlink('available/web.conf', path.join(source, 'web.conf'))
    const bring = [{ node: 'd1', from: { '/etc/keepalived': source } }]
    await writeDraft(EMPTY, bring, path.join(dir, 'lab'))
    expect(await readlink(path.join(dir, 'lab/d1/etc/keepalived/web.conf'))).toBe('available/web.conf')
    await expect(writeDraft(EMPTY, bring, path.join(source, 'lab'))).rejects.toMatchObject({ code: 'DERIVE_INSIDE' })
    expect(await readdir(source)).toEqual(['available', 'web.conf'])
  })

  it('takes no link that leads out, and leaves nothing behind', async () => {
    const source = path.join(dir, 'pair')
    await mkdir(source)
    await symlink('/etc/passwd', path.join(source, 'users.conf'))
    const to = path.join(dir, 'lab')
    await expect(writeDraft(EMPTY, [{ node: 'd1', from: { '/': source } }], to)).rejects.toMatchObject({
      code: 'DERIVE_FILE',
    })
    await expect(stat(to)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('does not try for ever where nothing can be written', async () => {
    await expect(writeDraft(EMPTY, [], '/proc/lab')).rejects.toMatchObject({ code: 'DERIVE_WRITE' })
  })

  it('is read back where folders are called by numbers', async () => {
    const root = path.join(TOPOLOGIES, 'keepalived-dr/d1')
    const configs = ['01', '1e3'].map(node => readDirector({ node, root }))
    await writeDraft(deriveTopology('2024', configs), [], dir)
    const { name, nodes } = loadTopology(dir)
    expect([name, ...nodes.map(node => node.name)]).toEqual(['2024', 'c1', '01', '1e3', 'rs1', 'rs2'])
  })

  it('has nothing in its comments that steers a terminal or begins a line', async () => {
    const evil = 'a\u001b[2J\nnetworks: {}'
    const network = { name: 'lan', subnet: '10.0.0.0/24', because: evil }
    await writeDraft({ ...EMPTY, networks: [network], questions: [evil] }, [], dir)
    const text = await readFile(path.join(dir, 'topology.yaml'), 'utf8')
    expect(text.split('\n').filter(line => line.includes('networks: {}'))).toEqual([
      '# - a\u241b[2J networks: {}',
      '  lan: { subnet: 10.0.0.0/24 } # a\u241b[2J networks: {}',
    ])
    expect(text).not.toContain('\u001b')
  })

  it('goes into no folder that has something in it', async () => {
    await write('keepalived-dr')
    await expect(write('keepalived-dr')).rejects.toMatchObject({ code: 'DERIVE_EXISTS', exitCode: 2 })
  })
})
