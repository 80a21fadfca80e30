import { keyword, type Statement } from '../../config/keepalived/parse.ts'
import { all } from '../../config/keepalived/values.ts'
import { describeBound, seconds } from '../../model/bound.ts'
import { serverDownBound } from '../../model/health-check.ts'
import { ldirectordCheck, ldirectordDownBound } from '../../model/ldirectord.ts'
import type { Bound, RealServer, VirtualService } from '../../model/types.ts'
import { type Director, EVERY_PROGRAM, type Found, type LintInput, type Rule } from '../rule.ts'
import { everyStatement } from '../statements.ts'
import { eachService, onePerPlace, sectionOf } from './each-service.ts'

const urlMissing = eachService(service =>
  service.realServers.flatMap(server =>
    server.checks
      .filter(({ type, urls }) => (type === 'HTTP_GET' || type === 'SSL_GET') && urls.length === 0)
      .map(({ at, keyword }) => ({
        at,
        message: `${keyword} of real_server ${server.address} has no url with a path`,
      })),
  ),
)

/** What is asked is the path as it is written; a server may take a whole URL (RFC 9112 3.2.2). */
const urlPath = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    everyStatement(director.statements)
      .filter(one => keyword(one) === 'url')
      .flatMap(({ block = [] }) => all(block, 'path'))
      .flatMap(({ words: [, path] }) => path ?? [])
      .filter(({ text }) => !/^(?:\/|https?:\/\/)/.test(text))
      .map(({ text, at }) => ({
        at,
        message: `path ${text} does not begin with /: keepalived asks for GET ${text}, which a web server refuses`,
      })),
  )

/** DHCP, TFTP, NTP, SNMP, IKE, RADIUS. */
const UDP_ALONE = [67, 69, 123, 161, 500, 1812, 1813, 4500]

const WRONG_PORTS: Partial<Record<string, { ports: number[]; speaks: string }>> = {
  HTTP_GET: { ports: [443, ...UDP_ALONE], speaks: 'HTTP without TLS' },
  SSL_GET: { ports: [80, ...UDP_ALONE], speaks: 'TLS' },
  TCP_CHECK: { ports: UDP_ALONE, speaks: 'TCP' },
}

const otherPort = eachService(service =>
  service.realServers.flatMap(server =>
    server.checks.flatMap(({ type, keyword, target, at }) => {
      const wrong = WRONG_PORTS[type]
      const port = target?.port ?? server.port
      if (!wrong?.ports.includes(port)) return []
      const message = `${keyword} speaks ${wrong.speaks} to port ${port} of ${server.address}`
      return [
        {
          at,
          message,
          ...(UDP_ALONE.includes(port)
            ? { remedy: 'write UDP_CHECK with payload and require_reply, or MISC_CHECK with a client' }
            : {}),
        },
      ]
    }),
  ),
)

/** Words of a check that say where it connects to, or how; in a host block too they are the check's own (check_smtp.c smtp_check_end_handler, check_api.c). */
const CONNECTS = ['connect_ip', 'connect_port', 'bindto', 'bind_port', 'bind_if', 'fwmark', 'connect_timeout']

/** keepalived 2.3.3 puts the check of each host but the first twice into one list, which then has no end. */
const smtpHosts = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    everyStatement(director.statements)
      .filter(one => keyword(one) === 'SMTP_CHECK')
      .flatMap(({ block = [] }) => {
        const hosts = all(block, 'host')
        const lines = [block, ...hosts.map(host => host.block ?? [])].flat()
        const further = all(lines, ...CONNECTS).length > 0 ? hosts[0] : hosts[1]
        if (!further) return []
        return [{ at: further.at, message: 'keepalived 2.3.3 makes a check of this host, and never comes to an end' }]
      }),
  )

/** Silence is a success of it (layer4.c `udp_socket_state`); where another check asks too, that one may notice. */
const silenceSucceeds = eachService(service =>
  service.realServers.flatMap(({ address, port, checks }) =>
    checks
      .filter(() => checks.every(({ udp }) => udp && !udp.requireReply))
      .map(({ at }) => ({
        at,
        message: `UDP_CHECK without require_reply takes silence of ${address}:${port} for success: only a refusal takes it out of the table`,
      })),
  ),
)

/** ldirectord checks every server, and ipvsadm none. */
const checkMissing = eachService((service, { program }) =>
  service.realServers
    .filter(server => program === 'keepalived' && server.checks.length === 0)
    .map(server => ({
      at: server.at,
      message: `real_server ${server.address}:${server.port} has no check: when it fails, clients are sent there all the same`,
    })),
)

/** How long a server that answers nothing stays in the table. */
const silentBound = (service: VirtualService, server: RealServer, director: Director): Bound | undefined => {
  const own = sectionOf(service, director)
  if (!own || !director.ldirectord) return serverDownBound(server, 'silent')
  const check = ldirectordCheck(own, director.ldirectord)
  return check && ldirectordDownBound(check, 'silent')
}

const detectionSlow = eachService((service, director, { maxDetectionMs }) =>
  service.realServers.flatMap(server => {
    const bound = silentBound(service, server, director)
    if (maxDetectionMs === undefined || !bound || bound.maxMs <= maxDetectionMs) return []
    const at = server.checks[0]?.at ?? server.at
    const message = `a silent real_server ${server.address}:${server.port} stays in the table ${describeBound(bound)} (${bound.formula}), longer than ${seconds(maxDetectionMs)}`
    return [{ at, message }]
  }),
)

/** Of the health checks of real servers. */
/** Lines of a `url` block; keepalived takes the last path, and says that it does. */
const urls = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    everyStatement(director.statements)
      .filter(one => keyword(one) === 'url')
      .flatMap(({ block = [] }) => {
        const lines = (name: string): Statement[] => block.filter(line => keyword(line) === name)
        const digests = lines('digest').map(({ words: [, digest], at }) => ({ at, digest: digest?.text ?? '' }))
        return [
          ...lines('path')
            .slice(1)
            .map(({ at }) => ({ at, message: 'this url has a path already; keepalived takes the last' })),
          ...lines('status_code')
            .flatMap(line => line.words.slice(1))
            .filter(({ text }) => !isStatus(text))
            .map(({ text, at }) => ({ at, message: `status_code ${text} is not a status from 100 to 599` })),
          ...digests
            .filter(({ digest }) => !/^[\da-f]{32}$/i.test(digest))
            .map(({ at }) => ({ at, message: 'digest is not 32 hexadecimal digits; keepalived ignores it' })),
          ...digests
            .filter(({ digest }, index) => digests.findIndex(one => one.digest === digest) < index)
            .map(({ at }) => ({ at, message: 'this url has the digest already; keepalived ignores it' })),
        ]
      }),
  )

const isStatus = (text: string): boolean => {
  const [from, to = from] = text.split('-')
  const fits = (one: string | undefined): boolean => /^\d+$/.test(one ?? '') && Number(one) >= 100 && Number(one) <= 599
  return fits(from) && fits(to) && Number(from) <= Number(to)
}

export const checkRules: Rule[] = [
  {
    code: 'url-missing',
    severity: 'error',
    rejected: true,
    title: 'A web check without a URL',
    why: 'keepalived leaves the check out (check_http.c http_get_check_end).',
    remedy: 'Write a url block with a path.',
    check: urlMissing,
  },
  {
    code: 'url-invalid',
    severity: 'error',
    rejected: true,
    title: 'A URL of a check with two paths, a status that is none, or a digest that is none',
    why: 'keepalived takes the last path, and ignores the others (check_http.c path_handler, status_code_handler, digest_handler).',
    remedy: 'Write a url block for each path.',
    check: urls,
  },
  {
    code: 'url-path',
    severity: 'error',
    rejected: false,
    title: 'A path of a web check that does not begin with /',
    why: 'keepalived asks for the path as it is written (check_http.c http_request), and a web server answers 400: the real server is never up.',
    remedy: 'Begin the path with /.',
    check: urlPath,
  },
  {
    code: 'check-port',
    severity: 'warning',
    rejected: false,
    title: 'A check that speaks another protocol than the port is for',
    why: 'HTTP_GET to port 443, SSL_GET to port 80 (RFC 9110 4.2), TCP to a port of NTP, TFTP, RADIUS and the like, which are UDP: where a server has it there as usual, the check never succeeds.',
    remedy: 'Write SSL_GET for port 443 and HTTP_GET for port 80, or connect_port.',
    check: input => onePerPlace(otherPort(input)),
  },
  {
    code: 'check-silence',
    severity: 'info',
    rejected: false,
    title: 'A check that succeeds where nobody answers',
    why: 'Without require_reply keepalived waits for an ICMP error, and takes its timeout for success: a server that hangs, or whose packets a filter drops, stays in the table (core/layer4.c udp_socket_state). Of a service that never answers, as syslog, nothing better is to be had.',
    remedy:
      'Write require_reply, and a payload in hexadecimal that the service answers; keepalived sends a text of its own without one.',
    check: input => onePerPlace(silenceSucceeds(input)),
  },
  {
    code: 'smtp-hosts',
    severity: 'error',
    rejected: true,
    title: 'An SMTP_CHECK with host blocks',
    why: 'keepalived calls them deprecated. From the second check on that comes of them, one with connect_ip, connect_port, connect_timeout or the like in SMTP_CHECK or in a host being the first, keepalived 2.3.3 does not start and does not say so: it goes round in a list (check_smtp.c smtp_check_end_handler).',
    remedy: 'Write an SMTP_CHECK with connect_ip for each host.',
    check: smtpHosts,
  },
  {
    code: 'check-missing',
    severity: 'warning',
    rejected: false,
    title: 'A real server without a health check',
    why: 'keepalived takes it for healthy always.',
    remedy: 'Write a check into its block: TCP_CHECK at least.',
    check: input => onePerPlace(checkMissing(input)),
  },
  {
    code: 'detection-slow',
    severity: 'error',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A failed real server stays longer than --max-detection',
    why: 'delay_loop, timeouts and retries add up; the message has the sum for a server that answers nothing.',
    remedy:
      'Make delay_loop, connect_timeout, retry or delay_before_retry smaller; of ldirectord checkinterval, the timeout or failurecount.',
    check: detectionSlow,
  },
]
