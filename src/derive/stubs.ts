import type { HealthCheck, RealServer, VirtualService } from '../model/types.ts'
import { STUB_CERTIFICATE } from './stub-certificate.ts'

/** A real server as one service has it. */
export interface Serves {
  service: VirtualService
  server: RealServer
}

/** Ports that a health check of a real server asks, and the server's own. */
interface Needs {
  http: Set<number>
  tls: Set<number>
  datagrams: Set<number>
  /** Path on the web server -> the status that it answers with. */
  paths: Map<string, number>
  questions: string[]
}

/**
 * What a real server needs for its checks to succeed: Apache httpd with a page that begins with the node's name on every TCP port,
 * an echo on every UDP port; and what a stub cannot know, as a question.
 *
 * @param node name of the node
 */
export const stubFor = (
  node: string,
  address: string,
  serves: Serves[],
): { files: Record<string, string>; questions: string[] } => {
  const needs = needsOf(node, serves)
  const files: Record<string, string> = { [PAGE]: `${node} ${address}\n` }
  const apache = apacheFor(needs)
  if (apache !== '') files['/etc/apache2/conf-enabled/stub.conf'] = apache
  if (needs.tls.size > 0) Object.assign(files, TLS)
  if (needs.datagrams.size > 0)
    files['/etc/rc.local'] = [
      '#!/bin/sh -e',
      "# Each datagram comes back with the node's name before it.",
      ...[...needs.datagrams].map(port => `/usr/lib/lvslab/echo ${port} udp`),
      '',
    ].join('\n')
  return { files, questions: needs.questions }
}

/** What httpd needs to speak TLS. */
const TLS = {
  '/etc/apache2/mods-enabled/ssl.load': 'LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n',
  '/etc/apache2/stub.pem': STUB_CERTIFICATE,
}

const needsOf = (node: string, serves: Serves[]): Needs => {
  const needs: Needs = { http: new Set(), tls: new Set(), datagrams: new Set(), paths: new Map(), questions: [] }
  for (const { service, server } of serves) {
    const port = portOf({ service, server })
    const checks = server.checks
    for (const check of checks) look(check, node, port, needs)
    // what speaks another protocol is for the user to bring
    if (checks.some(check => check.type === 'SMTP_CHECK' || check.type === 'DNS_CHECK')) continue
    if (service.protocol === 'TCP') (usesTls(port, checks) ? needs.tls : needs.http).add(port)
    else needs.datagrams.add(port)
  }
  for (const port of needs.tls) needs.http.delete(port)
  return needs
}

const portOf = ({ service, server }: Serves): number => server.port || service.port || 80

/** Whether httpd alone is all that a real server needs, each service of it at an address and a port. */
export const webAlone = (serves: Serves[]): boolean => {
  const { datagrams, questions } = needsOf('', serves)
  const placed = serves.every(({ service }) => service.address !== undefined && service.port)
  return serves.length > 0 && placed && datagrams.size === 0 && questions.length === 0
}

/** Of a farm: the name of the site that was asked. One page for all: a file each costs an emulated machine 10 ms to put there. */
const FARM_PAGE = '<!--#echo var="SERVER_NAME" -->\n'

const FARM_HEAD = [
  'LoadModule include_module /usr/lib/apache2/modules/mod_include.so',
  'DocumentRoot /var/www/html',
  '# What a site answers is its ServerName: the address of the real server that it is.',
  'UseCanonicalName On',
  '<Directory /var/www/html>',
  '    Options +Includes',
  '    SetOutputFilter INCLUDES',
  '</Directory>',
]

/**
 * What a node needs to be many real servers that httpd alone is enough for: a site for each, told apart by the address that is
 * asked. Behind DR and TUN that is the VIP, so that no two of one service may be on the node.
 */
export const farmStub = (farm: { address: string; serves: Serves[] }[]): Record<string, string> => {
  const [http, tls] = [new Set<number>(), new Set<number>()]
  const sites: string[] = []
  for (const { address, serves } of farm) {
    const needs = needsOf('', serves)
    const direct = serves.filter(({ server }) => server.forwarding !== 'NAT')
    const site = (ports: Set<number>, more: string[]): void => {
      if (ports.size === 0) return
      const asked = [
        ...[...ports].map(port => `${address}:${port}`),
        ...direct.filter(one => ports.has(portOf(one))).map(({ service }) => `${service.address}:${service.port}`),
      ]
      // without a name httpd would ask the resolver for one of each address
      const lines = [`ServerName ${address}`, ...more, ...pathLines(needs, PAGE)]
      sites.push(
        `<VirtualHost ${[...new Set(asked)].join(' ')}>`,
        ...lines.map(line => `    ${line}`),
        '</VirtualHost>',
      )
    }
    site(needs.http, [])
    site(needs.tls, SPEAK_TLS)
    for (const port of needs.http) http.add(port)
    for (const port of needs.tls) tls.add(port)
  }
  const lines = [...FARM_HEAD, ...listenLines({ http, tls }), ...sites]
  return {
    [PAGE]: FARM_PAGE,
    '/etc/apache2/conf-enabled/farm.conf': lines.map(line => `${line}\n`).join(''),
    ...(tls.size > 0 ? TLS : {}),
  }
}

const usesTls = (port: number, checks: HealthCheck[]): boolean =>
  checks.some(check => check.type === 'SSL_GET') || (port === 443 && !checks.some(check => check.type === 'HTTP_GET'))

/** What every path answers with. */
const PAGE = '/var/www/html/index.html'

/** The status that a check takes for health: 200 where it takes that, else the first that it names (check_http.c). */
const statusOf = (codes = '200'): number => {
  const ranges = codes.split(' ').map(range => range.split('-').map(Number))
  if (ranges.some(([from = 0, to = from]) => from <= 200 && 200 <= to)) return 200
  return ranges[0]?.[0] || 200
}

/** Whether a path means the same to keepalived and to httpd, and in a pattern of httpd's once dots and plus signs are escaped. */
const isPlain = (path: string): boolean =>
  /^\/[A-Za-z0-9._~+,;=:@/-]*$/.test(path) && !/\/(?:\.{1,2}(?:\/|$)|\/)/.test(path)

/** Notes what one check asks. */
const look = (check: HealthCheck, node: string, ownPort: number, needs: Needs): void => {
  const port = check.target?.port ?? ownPort
  const bring = (what: string): void => void needs.questions.push(`${node}: ${check.keyword} ${what}`)
  if (check.target?.address !== undefined)
    return bring(`asks ${check.target.address}, which is not this server: give that node what answers`)
  switch (check.type) {
    case 'HTTP_GET':
    case 'SSL_GET':
      ;(check.type === 'SSL_GET' ? needs.tls : needs.http).add(port)
      for (const { path, statusCode, wants } of check.urls) {
        const asked = path.replace(/[?#].*/, '')
        if (wants) bring(`wants a page with a certain ${wants} at ${path}: put it below var/www/html`)
        if (!isPlain(asked))
          bring(`asks ${JSON.stringify(path)}, which a stub cannot have: put what answers below var/www/html`)
        else if (!wants) needs.paths.set(asked, statusOf(statusCode))
      }
      return
    case 'TCP_CHECK':
      if (!needs.tls.has(port)) needs.http.add(port)
      return
    case 'UDP_CHECK':
      needs.datagrams.add(port)
      if (check.udp?.reply !== undefined) bring('wants a certain reply: put what sends it into etc/rc.local')
      return
    case 'PING_CHECK':
      return
    case 'MISC_CHECK':
      return bring(`runs ${check.misc?.path ?? 'a script'}: put it, and what it asks, into the folders of the nodes`)
    case 'SMTP_CHECK':
    case 'DNS_CHECK':
    case 'OTHER':
      return bring(`is asked on port ${port}: put what answers into etc/rc.local`)
  }
}

/** Ports beside 80, TLS, and pages that are to answer with another status. */
const apacheFor = (needs: Needs): string => {
  const lines = [...listenLines(needs), ...pathLines(needs, PAGE)]
  for (const port of needs.tls)
    lines.push(
      `<VirtualHost *:${port}>`,
      '    DocumentRoot /var/www/html',
      ...SPEAK_TLS.map(line => `    ${line}`),
      '</VirtualHost>',
    )
  return lines.map(line => `${line}\n`).join('')
}

const SPEAK_TLS = [
  'SSLEngine on',
  '# An example: it is self-signed, and known to everybody.',
  'SSLCertificateFile /etc/apache2/stub.pem',
]

const listenLines = ({ http, tls }: Pick<Needs, 'http' | 'tls'>): string[] => {
  const ports = [...new Set([...http, ...tls])].filter(port => port !== 80 && port !== 443)
  // ports.conf listens on 443 where ssl_module is loaded
  return [...ports, ...(http.has(443) && !tls.has(443) ? [443] : [])].map(port => `Listen ${port}`)
}

const pathLines = ({ paths }: Needs, page: string): string[] =>
  [...paths].flatMap(([path, status]) => {
    const pattern = `"^${path.replaceAll(/[.+]/g, '\\$&')}$"`
    if (status !== 200) return `RedirectMatch ${status} ${pattern}${status >= 300 && status < 400 ? ' /' : ''}`
    return path === '/' ? [] : `AliasMatch ${pattern} ${page}`
  })
