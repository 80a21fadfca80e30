import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { aNode, aTopology } from '../topology/testing.ts'
import { answeredBy, spokenBy, spokenIn } from './spoken.ts'

const parent = mkdtempSync(path.join(os.tmpdir(), 'lvslab-spoken-'))
afterAll(() => rmSync(parent, { recursive: true }))

/** A node with these files, by their paths below etc. */
const nodeWith = (role: 'realserver' | 'director', given: Record<string, string>) => {
  const files = mkdtempSync(path.join(parent, 'node-'))
  for (const [name, text] of Object.entries(given)) {
    const file = path.join(files, name.startsWith('/') ? name : path.join('etc', name))
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: 0o755 })
  }
  return aNode({ role, files })
}
const spoken = (...args: Parameters<typeof nodeWith>) => Object.fromEntries(spokenBy(nodeWith(...args)))

it('is HTTP on port 80, and on what httpd is told to listen on besides', () => {
  expect(spoken('realserver', {})).toEqual({ 80: 'http' })
  const conf = '# Listen 9999\nListen 3306\n  listen 10.0.0.10:8000\nListen [::]:8001 http\n'
  expect(spoken('realserver', { 'apache2/conf-enabled/stub.conf': conf })).toEqual({
    ...{ 80: 'http', 3306: 'http', 8000: 'http', 8001: 'http' },
  })
  // what is not enabled is not loaded
  expect(spoken('realserver', { 'apache2/conf-available/x.conf': 'Listen 1\n' })).toEqual({ 80: 'http' })
  expect(spoken('realserver', { 'apache2/ports.conf': 'Listen 81\n' })).toEqual({ 81: 'http' })
  // as Debian has it
  const debian = 'Listen 80\n<IfModule ssl_module>\n\tListen 443\n</IfModule>\n'
  expect(spoken('realserver', { 'apache2/ports.conf': debian })).toEqual({ 80: 'http' })
  expect(spoken('realserver', { 'apache2/ports.conf': debian, 'apache2/mods-enabled/ssl.load': '' })).toEqual({
    ...{ 80: 'http', 443: 'http' },
  })
})

it('is HTTPS on a port of a site that turns SSLEngine on', () => {
  const site = (addresses: string, engine: string) =>
    `<VirtualHost ${addresses}>\n  SSLEngine ${engine}\n</VirtualHost>\n`
  const files = {
    'apache2/mods-enabled/ssl.load': 'LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n',
    'apache2/sites-enabled/a.conf': `Listen 8443\nListen 8444\n${site('10.0.0.10:443 *:8443', 'on')}${site('*:8444', 'off')}`,
    'apache2/sites-enabled/b.conf': site('*:9443', 'on'), // where nobody listens
  }
  expect(spoken('realserver', files)).toEqual({ 80: 'http', 443: 'https', 8443: 'https', 8444: 'http' })
})

it("is what a director's nginx listens on", () => {
  const sorry = '# listen 81;\nserver { listen 8000; root /var/www/html; }\nserver {\n  listen [::]:8443 ssl;\n}\n'
  expect(spoken('director', { 'nginx/conf.d/sorry.conf': sorry })).toEqual({
    ...{ 80: 'http', 8000: 'http', 8443: 'https' },
  })
})

it('is asked on the port that arrives: NAT alone rewrites it', () => {
  const node = nodeWith('realserver', { 'apache2/conf-enabled/stub.conf': 'Listen 3306\n' })
  const to = spokenIn(aTopology([node]))
  const address = node.interfaces[0]?.address ?? ''
  expect(to({ address, port: 3306, forwarding: 'NAT' }, 9093)).toBe('http')
  expect(to({ address, port: 3306, forwarding: 'DR' }, 9093)).toBeUndefined()
  expect(to({ address: '10.0.0.99', port: 80, forwarding: 'DR' }, 80)).toBeUndefined()
})

describe('what etc/rc.local starts', () => {
  const ports = (script: string, more: Record<string, string> = {}) => [
    ...answeredBy(nodeWith('realserver', { 'rc.local': script, ...more })),
  ]

  it('answers datagrams where it is the echo, or a stub that knows what a probe says', () => {
    expect(ports('/usr/lib/lvslab/echo 514 udp\n')).toEqual([514])
    const stubs = '/usr/local/sbin/stub dns 53\n/usr/local/sbin/stub reply 1812 02\n/usr/local/sbin/stub smtp 25\n'
    expect(ports(stubs, { '/usr/local/sbin/stub': 'if ($data =~ /^lvslab \\d+$/)' })).toEqual([53, 1812])
    expect(ports(stubs, { '/usr/local/sbin/stub': 'of an older lvslab' })).toEqual([])
    expect(ports(stubs)).toEqual([])
    expect([...answeredBy(nodeWith('realserver', {}))]).toEqual([])
  })

  it('has no name of its own for the servers of a farm', () => {
    const node = nodeWith('realserver', { 'rc.local': '/usr/lib/lvslab/echo 514 udp\n' })
    expect([...answeredBy({ ...node, farm: true })]).toEqual([])
  })

  it('is asked on the port that arrives, by its own protocol', () => {
    const node = nodeWith('realserver', { 'rc.local': '/usr/lib/lvslab/echo 5353 udp\n' })
    const to = spokenIn(aTopology([node]))
    const server = { address: node.interfaces[0]?.address ?? '', port: 5353, forwarding: 'NAT' as const }
    expect(to(server, 53, 'UDP')).toBe('udp')
    expect(to({ ...server, forwarding: 'DR' }, 53, 'UDP')).toBeUndefined()
    expect(to(server, 53)).toBeUndefined()
  })

  it('speaks no HTTP where it has a port of TCP', () => {
    const script = '/usr/local/sbin/stub dns 53\n/usr/local/sbin/stub smtp 25\n/usr/lib/lvslab/echo 514 udp\n'
    expect(spoken('realserver', { 'rc.local': script })).toEqual({ 25: 'other', 53: 'other', 80: 'http' })
    expect(spoken('realserver', { 'rc.local': '/usr/lib/lvslab/service echo start\n' })).toEqual({
      7: 'other',
      80: 'http',
    })
  })
})
