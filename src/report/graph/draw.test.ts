import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ROLES } from '../../topology/types.ts'
import type { Interface, Network, Node, Topology } from '../../topology/types.ts'
import { drawSvg } from './draw.ts'
import { layOut, type Placed } from './layout.ts'

const NOTHING = { vips: [], tunnels: [] }

const on = (name: string, network: string, address = '10.0.0.1'): Interface => ({
  name,
  network,
  address,
  addresses: [],
})
const node = (name: string, role: Node['role'], interfaces: Interface[], more: Partial<Node> = {}): Node => ({
  ...{ name, role, interfaces, loopback: [], tunnels: [], sysctls: {}, routes: [] },
  ...more,
})
const topology = (networks: string[], nodes: Node[], more: Partial<Topology> = {}): Topology => ({
  ...{ name: 'test', dir: '/none', nodes, ...more },
  networks: networks.map((name): Network => ({ name, subnet: '10.0.0.0/24' })),
})

const PAIR = topology(
  ['inside', 'outside'],
  [
    node('rs1', 'realserver', [on('eth0', 'inside', '10.0.0.11')], { loopback: ['192.0.2.1/32'] }),
    node('d1', 'director', [on('eth0', 'outside', '192.0.2.2'), on('eth1', 'inside', '10.0.0.2')]),
    node('d2', 'director', [on('eth0', 'outside', '192.0.2.3'), on('eth1', 'inside', '10.0.0.3')]),
    node('c1', 'client', [on('eth0', 'outside', '192.0.2.50')]),
  ],
)
const KNOWN = {
  vips: [
    {
      address: '192.0.2.1',
      holders: [
        { node: 'd1', device: 'eth0' },
        { node: 'd2', device: 'eth0' },
      ],
    },
  ],
  tunnels: [{ from: 'd1', to: 'rs1' }],
}

const placed = (of: Topology, name: string): Placed => {
  const found = layOut(of, NOTHING).boxes.find(box => box.node.name === name)
  if (!found) throw new Error(`no ${name}`)
  return found
}

describe('a picture of a topology', () => {
  it("has a node's packages, all of them where somebody points", () => {
    const packages = ['php-fpm', 'php-mysql', 'php-gd', 'php-intl', 'php-curl', 'php-zip']
    const svg = drawSvg(topology(['lan'], [node('rs1', 'realserver', [on('eth0', 'lan')], { packages })]), NOTHING)
    expect(svg).toContain('>with php-fpm php-mysql ')
    expect(svg).toContain(`apt-get install ${packages.join(' ')}`)
  })

  it('has clients at the top, real servers at the bottom, and who is on two networks between them', () => {
    const { bars } = layOut(PAIR, NOTHING)
    expect(bars.map(bar => bar.name)).toEqual(['outside', 'inside'])
    const rows = ['c1', 'd1', 'd2', 'rs1'].map(name => placed(PAIR, name).y)
    expect(rows[0]).toBeLessThan(bars[0]?.y ?? 0)
    expect(rows[1]).toBe(rows[2])
    expect(rows[1]).toBeGreaterThan(bars[0]?.y ?? 0)
    expect(rows[1]).toBeLessThan(bars[1]?.y ?? 0)
    expect(rows[3]).toBeGreaterThan(bars[1]?.y ?? 0)
  })

  it('says what each node has where, and who holds the VIP', () => {
    const svg = drawSvg(PAIR, KNOWN)
    for (const text of ['eth0 192.0.2.2', 'eth1 10.0.0.2', 'VIP 192.0.2.1 on eth0', 'standby for 192.0.2.1'])
      expect(svg.split(`>${text}<`)).toHaveLength(2)
    expect(svg).toContain('class="quiet">lo 192.0.2.1/32<')
    expect(svg).toContain('<title>tunnel from d1 to rs1</title>')
  })

  it('names a few of many addresses', () => {
    const farm = on('eth0', 'lan')
    farm.addresses = Array.from({ length: 300 }, (_, n) => `10.0.1.${n}/16`)
    const svg = drawSvg(topology(['lan'], [node('farm1', 'realserver', [farm])]), NOTHING)
    expect(svg).toContain('>and 294 more<')
    expect(svg).not.toContain('10.0.1.6/16')
  })

  it('crosses no more bars than it must', () => {
    const chain = topology(
      ['b', 'a', 'c'],
      [
        node('r1', 'router', [on('eth0', 'a'), on('eth1', 'b')]),
        node('r2', 'router', [on('eth0', 'b'), on('eth1', 'c')]),
        node('c1', 'client', [on('eth0', 'a')]),
      ],
    )
    expect(layOut(chain, NOTHING).bars.map(bar => bar.name)).toEqual(['a', 'b', 'c'])
  })

  it('takes nothing that stands in a topology for markup', () => {
    const evil = '</text><script>alert("1")</script>&\u0000'
    const hostile = topology(
      ['lan'],
      [node(evil, 'client', [on(evil, 'lan', evil)], { routes: [evil], loopback: [evil] })],
      {
        summary: evil,
        name: evil,
      },
    )
    const svg = drawSvg(
      { ...hostile, networks: [{ name: 'lan', subnet: evil, gateway: evil }] },
      { vips: [{ address: evil, holders: [{ node: evil, device: evil }] }], tunnels: [{ from: evil, to: evil }] },
    )
    expect(svg).not.toContain('<script')
    expect(svg).not.toContain('\u0000')
    expect(svg).toContain('&lt;script&gt;')
    // each < opens or ends an element of ours
    expect(new Set([...svg.matchAll(/<\/?(\w*)/g)].map(match => match[1]))).toEqual(
      new Set(['svg', 'title', 'style', 'rect', 'g', 'path', 'circle', 'text', 'tspan']),
    )
  })
})

/** Any topology that could be written: up to five networks, of which each node is on some. */
const topologies = fc.integer({ min: 1, max: 5 }).chain(count => {
  const networks = Array.from({ length: count }, (_, n) => `net${n}`)
  const some = fc.subarray(networks, { minLength: 1 })
  return fc
    .array(fc.tuple(fc.constantFrom(...ROLES), some, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 24 })
    .map(nodes =>
      topology(
        networks,
        nodes.map(([role, its, more], n) =>
          node(
            `n${n}`,
            role,
            its.map((network, i) => on(`eth${i}`, network, '192.168.100.100')),
            { loopback: Array.from({ length: more }, (_, i) => `10.0.0.${i}/32`) },
          ),
        ),
      ),
    )
})

it('puts no box over another box, a bar or the edge, and no cable over a box', () => {
  fc.assert(
    fc.property(topologies, of => {
      const { boxes, bars, width, height } = layOut(of, NOTHING)
      const overlap = (a: [number, number], b: [number, number]): boolean => a[0] < b[1] && b[0] < a[1]
      const across = ({ x, width: w }: Placed): [number, number] => [x, x + w]
      const down = ({ y, height: h }: Placed): [number, number] => [y, y + h]
      for (const box of boxes) {
        expect(across(box)[0] >= 0 && across(box)[1] <= width && down(box)[0] >= 0 && down(box)[1] <= height).toBe(true)
        for (const bar of bars) expect(overlap(down(box), [bar.y, bar.y + 26])).toBe(false)
        for (const other of boxes) {
          if (other === box) continue
          expect(overlap(across(box), across(other)) && overlap(down(box), down(other))).toBe(false)
          for (const { x, from, to } of other.cables)
            expect(
              overlap(across(box), [x - 1, x + 1]) && overlap(down(box), [Math.min(from, to), Math.max(from, to)]),
            ).toBe(false)
        }
        expect(box.cables).toHaveLength(box.node.interfaces.length)
      }
    }),
    { numRuns: 60 },
  )
})
