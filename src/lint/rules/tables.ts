import { LDIRECTORD_DEFAULTS, type LdirectordService } from '../../model/ldirectord.ts'
import type { Director, Found, LintInput, Rule } from '../rule.ts'
import { EXPIRE_QUIESCENT } from './each-service.ts'

const eachSection =
  (judge: (service: LdirectordService, director: Director, input: LintInput) => Found[]) =>
  (input: LintInput): Found[] =>
    input.directors.flatMap(director =>
      (director.ldirectord?.services ?? []).flatMap(service => judge(service, director, input)),
    )

const quiescentKeepsClients = eachSection((own, { ldirectord, node }) => {
  const { service } = own
  const quiescent = own.quiescent ?? ldirectord?.global.quiescent ?? LDIRECTORD_DEFAULTS.quiescent
  if (!quiescent || service.persistence === undefined || node?.sysctls[EXPIRE_QUIESCENT] === '1') return []
  const message = `${service.name} is persistent and quiescent: clients of a failed server are sent there until their ${service.persistence / 1000} s are over, again and again while they ask`
  return [{ at: service.at, message }]
})

const unchecked = eachSection(({ service, checkType, protocol }) => {
  const why =
    checkType === 'on' ? 'checktype on' : checkType === 'negotiate' && protocol === 'none' ? 'service none' : ''
  const message = `${why}: ldirectord checks no server of ${service.name}, dead ones stay`
  return why === '' ? [] : [{ at: service.at, message }]
})

const neverActive = eachSection(({ service, checkType }) =>
  checkType === 'off'
    ? [{ at: service.at, message: `checktype off: ldirectord sends nobody to any server of ${service.name}` }]
    : [],
)

const portOnly = eachSection(({ service, checkType, protocol }) =>
  checkType === 'connect' && ['http', 'https'].includes(protocol)
    ? [
        {
          at: service.at,
          message: `checktype connect: a server of ${service.name} that hangs, or answers with errors, stays in the table`,
        },
      ]
    : [],
)

const fallbackMissing = eachSection(({ service, fallback }) =>
  fallback || service.realServers.length === 0
    ? []
    : [{ at: service.at, message: `${service.name} has no fallback: when every server is down, clients are refused` }],
)

/** keepalived's reader says so itself. */
export const emptyInTable = ({ directors }: LintInput): Found[] =>
  directors
    .filter(({ program }) => program !== 'keepalived')
    .flatMap(({ config }) => config.services)
    .filter(({ realServers }) => realServers.length === 0)
    .map(({ at, name }) => ({ at, message: `${name} has no real servers` }))

const LDIRECTORD = ['ldirectord'] as const
const IPVSADM = ['ipvsadm'] as const

/** ldirectord.cf, and what `ipvsadm-save` writes. */
export const tableRules: Rule[] = [
  {
    code: 'ipvsadm-ends',
    severity: 'error',
    rejected: false,
    programs: IPVSADM,
    title: 'A line at which ipvsadm-restore ends',
    why: 'ipvsadm runs one line after the other and ends at the first that it does not understand, a comment among them: the lines before it are in the table, those after it are not (ipvsadm.c parse_options).',
    remedy: 'Write the line as ipvsadm-save -n does; there are no comments.',
    notice: /; ipvsadm ends here$/,
  },
  {
    code: 'ipvsadm-refused',
    severity: 'error',
    rejected: false,
    programs: IPVSADM,
    title: 'A line that the kernel refuses',
    why: 'A service or a server is added twice, or changed before it is there: ipvsadm says so and goes on with the next line (net/netfilter/ipvs/ip_vs_ctl.c).',
    remedy: 'Take the line out, or put it behind the one that it needs.',
    notice: /; the kernel refuses it$/,
  },
  {
    code: 'ldirectord-refused',
    severity: 'error',
    rejected: false,
    programs: LDIRECTORD,
    title: 'ldirectord does not start with this',
    why: 'It reads the whole file before it does anything, and ends at the first line that it does not understand (ldirectord read_config, config_error).',
    remedy: 'Correct the line: ldirectord(8), SYNTAX. Those of a section begin with a tab or four blanks.',
    notice: /; ldirectord does not start$/,
  },
  {
    code: 'ldirectord-otherwise',
    severity: 'warning',
    rejected: false,
    programs: LDIRECTORD,
    title: 'A value that ldirectord takes otherwise than it stands there',
    why: 'Of what should be a number it takes the first digits; the timing of a section counts where each section has a process of its own (fork=yes).',
    remedy: 'Write the value that is to hold.',
    notice: /ldirectord (?:reads|takes)|is ignored, as fork/,
  },
  {
    code: 'quiescent-persistent',
    severity: 'warning',
    rejected: false,
    programs: LDIRECTORD,
    title: 'quiescent and persistent together',
    why: 'A quiescent server stays in the table with weight 0, and templates go on pointing at it: its clients are sent to the dead server as long as they keep asking (ldirectord(8), quiescent; ip_vs_conn.c ip_vs_check_template).',
    remedy: `Write quiescent=no, or set ${EXPIRE_QUIESCENT} = 1.`,
    check: quiescentKeepsClients,
  },
  {
    code: 'servers-unchecked',
    severity: 'warning',
    rejected: false,
    programs: LDIRECTORD,
    title: 'Servers that ldirectord does not check',
    why: 'With checktype=on every server counts as alive, and so it does with service=none, which is what a firewall mark and a port without a known service have where nothing else is written (ldirectord _check_real, check_none, ld_port_to_service).',
    remedy: 'Write service, such as http, with checktype=negotiate; or checktype=connect with checkport.',
    check: unchecked,
  },
  {
    code: 'checktype-off',
    severity: 'error',
    rejected: false,
    programs: LDIRECTORD,
    title: 'Servers that ldirectord never puts into the table',
    why: 'With checktype=off neither the servers nor the fallback are activated (ldirectord(8), checktype).',
    remedy: 'Write checktype=negotiate, or take the section out.',
    check: neverActive,
  },
  {
    code: 'checktype-connect',
    severity: 'info',
    rejected: false,
    programs: LDIRECTORD,
    title: 'A web service that is checked by connecting alone',
    why: 'The kernel of a server accepts connections for a web server that hangs (ldirectord check_connect).',
    remedy: 'Write checktype=negotiate with request and receive.',
    check: portOnly,
  },
  {
    code: 'fallback-missing',
    severity: 'info',
    rejected: false,
    programs: LDIRECTORD,
    title: 'A service without a fallback',
    why: 'With no server left the kernel refuses connections (ip_vs_core.c ip_vs_leave).',
    remedy:
      'Write fallback=127.0.0.1 with the port of the service and gate (which maps no ports), and have that answer on the director.',
    check: fallbackMissing,
  },
]
