import type { HealthCheck, RealServer, VirtualService } from '../model/types.ts'
import { STUB_CERTIFICATE } from './stub-certificate.ts'
import { STUB_FILE } from '../topology/rc-local.ts'
import { STUB_PROGRAM } from './stub-program.ts'

/** A real server as one service has it. */
export interface Serves {
  service: VirtualService
  server: RealServer
}

/** Ports that a health check of a real server asks, and the server's own. */
interface Needs {
  http: Set<number>
  tls: Set<number>
  smtp: Set<number>
  dns: Set<number>
  datagrams: Set<number>
  /** Port of UDP -> hex digits of the reply that a check wants. */
  replies: Map<number, string>
  /** Path on the web server -> the status that it answers with. */
  paths: Map<string, number>
  questions: string[]
}

/**
 * What a real server needs for its checks to succeed: Apache httpd with a page that begins with the node's name on every TCP port,
 * an echo on every UDP port, SMTP, DNS or a certain datagram where a check asks for that; and what a stub cannot know, as a question.
 *
 * @param node name of the node
 * @param sorry services that it is the sorry server of
 */
export const stubFor = (
  node: string,
  address: string,
  serves: Serves[],
  sorry: VirtualService[] = [],
): { files: Record<string, string>; questions: string[] } => {
  const needs = needsOf(node, serves)
  for (const service of sorry) saysSorry(service, needs)
  const files: Record<string, string> = { [PAGE]: `${node} ${address}\n` }
  const apache = apacheFor(needs)
  if (apache !== '') files['/etc/apache2/conf-enabled/stub.conf'] = apache
  if (needs.tls.size > 0) Object.assign(files, TLS)
  const stubs = stubLines(needs)
  if (stubs.length > 0) files[STUB_FILE] = STUB_PROGRAM
  const started = [...stubs, ...echoLines(needs)]
  if (started.length > 0) files['/etc/rc.local'] = ['#!/bin/sh -e', ...started, ''].join('\n')
  return { files, questions: needs.questions }
}

/** A sorry server is asked as the real servers are: NAT alone has a port of its own for it. */
const saysSorry = (service: VirtualService, needs: Needs): void => {
  const { port = 0, sorryServer, forwarding, realServers, protocol } = service
  const asked = (forwarding === 'NAT' && sorryServer?.port) || port
  if (asked === 0) return
  if (protocol === 'UDP') {
    if (!needs.dns.has(asked) && !needs.replies.has(asked)) needs.datagrams.add(asked)
    return
  }
  if (protocol !== 'TCP' || needs.smtp.has(asked) || needs.dns.has(asked)) return
  const secured = realServers.some(server => usesTls(port, server.checks))
  if (!needs.http.has(asked) && !needs.tls.has(asked)) (secured ? needs.tls : needs.http).add(asked)
}

const stubLines = ({ smtp, dns, replies }: Needs): string[] => [
  ...[...smtp].map(port => `${STUB_FILE} smtp ${port}`),
  ...[...dns].map(port => `${STUB_FILE} dns ${port}`),
  ...[...replies].map(([port, hex]) => `${STUB_FILE} reply ${port} ${hex}`),
]

const echoLines = ({ datagrams }: Needs): string[] =>
  datagrams.size === 0
    ? []
    : [
        "# Each datagram comes back with the node's name before it.",
        ...[...datagrams].map(port => `/usr/lib/lvslab/echo ${port} udp`),
      ]

/** What httpd needs to speak TLS. */
const TLS = {
  '/etc/apache2/mods-enabled/ssl.load': 'LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n',
  '/etc/apache2/stub.pem': STUB_CERTIFICATE,
}

const needsOf = (node: string, serves: Serves[]): Needs => {
  const needs: Needs = {
    ...{ http: new Set(), tls: new Set(), smtp: new Set(), dns: new Set(), datagrams: new Set() },
    ...{ replies: new Map(), paths: new Map(), questions: [] },
  }
  for (const { service, server } of serves) {
    const port = portOf({ service, server })
    const checks = server.checks
    for (const check of checks) look(check, node, port, needs)
    speaks(service.protocol, port, checks, needs)?.add(port)
  }
  // a port has one owner: what a check wants goes before what any other would be content with
  for (const port of needs.tls) needs.http.delete(port)
  for (const port of [...needs.smtp, ...needs.dns]) for (const web of [needs.http, needs.tls]) web.delete(port)
  for (const port of [...needs.dns, ...needs.replies.keys()]) needs.datagrams.delete(port)
  for (const port of needs.dns) needs.replies.delete(port)
  return needs
}

/** Begins the keyword of a check that asks in a protocol which no stub speaks; its port is left to who does. */
export const UNSPOKEN = 'service='

/** Who serves a service's own port. */
const speaks = (
  protocol: VirtualService['protocol'],
  port: number,
  checks: HealthCheck[],
  needs: Needs,
): Set<number> | undefined => {
  const has = (type: HealthCheck['type']): boolean => checks.some(check => check.type === type)
  if (has('SMTP_CHECK')) return needs.smtp
  if (has('DNS_CHECK')) return needs.dns
  if (checks.some(check => check.type === 'OTHER' && check.keyword.startsWith(UNSPOKEN))) return undefined
  if (protocol !== 'TCP') return needs.datagrams
  return usesTls(port, checks) ? needs.tls : needs.http
}

const portOf = ({ service, server }: Serves): number => server.port || service.port || 80

/** Whether httpd alone is all that a real server needs, each service of it at an address and a port. */
export const webAlone = (serves: Serves[]): boolean => {
  const needs = needsOf('', serves)
  const placed = serves.every(({ service }) => service.address !== undefined && service.port)
  const others = stubLines(needs).length + echoLines(needs).length
  return serves.length > 0 && placed && others === 0 && needs.questions.length === 0
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
  '# One child is enough for health checks.',
  '<IfModule mpm_event_module>',
  '    StartServers 1',
  '    MinSpareThreads 5',
  '</IfModule>',
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

/** The bytes of a pattern of a reply, as hex digits; undefined where it leaves some of them open. */
const plainBytes = (pattern: string): string | undefined => {
  const digits = pattern.replaceAll(/\s/g, '')
  return /^(?:[0-9a-f]{2})+$/i.test(digits) ? digits : undefined
}

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
    case 'UDP_CHECK': {
      const { reply, minReplyLength = 0 } = check.udp ?? {}
      const bytes = reply && plainBytes(reply)
      if (bytes) needs.replies.set(port, bytes.padEnd(2 * minReplyLength, '0'))
      else needs.datagrams.add(port)
      if (reply !== undefined && !bytes) bring('wants a certain reply: put what sends it into etc/rc.local')
      return
    }
    case 'PING_CHECK':
      return
    case 'MISC_CHECK':
      return bring(`runs ${check.misc?.path ?? 'a script'}: put it, and what it asks, into the folders of the nodes`)
    case 'SMTP_CHECK':
      needs.smtp.add(port)
      return
    case 'DNS_CHECK':
      needs.dns.add(port)
      return
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
