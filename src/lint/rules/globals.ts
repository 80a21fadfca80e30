import { isIPv6 } from 'node:net'
import { keyword } from '../../config/keepalived/parse.ts'
import { all } from '../../config/keepalived/values.ts'
import type { Found, LintInput, Rule } from '../rule.ts'
import { everyStatement, globalsOf } from '../statements.ts'

/** What stands in global_defs for all: mail, and the daemon that synchronises connections. */

/** Words of which no mail server makes an address; `[email protected]` is what a web page shows in place of one. */
const NO_MAIL = /[[\]<>(),;:]/

const mails = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    everyStatement(director.statements)
      .flatMap(one => {
        if (keyword(one) === 'notification_email_from') return one.words.slice(1, 2)
        return keyword(one) === 'notification_email' ? (one.block ?? []).flatMap(line => line.words) : []
      })
      .filter(({ text }) => NO_MAIL.test(text))
      .map(({ text, at }) => ({ at, message: `${text} is no mail address` })),
  )

/** What the C library takes for an address: up to four numbers, octal with a 0 before them, the last filling the rest (inet_aton). */
const isNumeric = (text: string): boolean => {
  const parts = text.split('.')
  if (parts.length > 4 || !parts.every(part => /^(?:0[0-7]*|[1-9]\d*)$/.test(part))) return false
  const values = parts.map(part => (part.startsWith('0') ? Number.parseInt(part, 8) : Number(part)))
  return values.every((value, index) => value < (index < values.length - 1 ? 256 : 256 ** (5 - values.length)))
}

/** keepalived asks the system for any other name when it starts; none has a colon in it. */
const isServer = (text: string): boolean => {
  if (text.includes(':')) return isIPv6(text)
  return !/^[\d.]+$/.test(text) || isNumeric(text)
}

const smtpServer = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director =>
    globalsOf(director)
      .filter(one => keyword(one) === 'smtp_server')
      .flatMap(({ words: [, server, port] }): Found[] => {
        if (!server) return []
        const { text } = server
        const [, host, hostPort] = /^\[?(.*?)\]?:(\d+)$/.exec(text) ?? []
        const remedy = host === undefined ? {} : { remedy: `write smtp_server ${host} ${hostPort}` }
        const sendsNone = 'keepalived sends no mail'
        if (!isServer(text))
          return [{ at: server.at, message: `smtp_server ${text} is not an address; ${sendsNone}`, ...remedy }]
        if (!port || (/^\+?\d+$/.test(port.text) && Number(port.text) >= 1 && Number(port.text) <= 65_535)) return []
        return [{ at: port.at, message: `${port.text} is not a port from 1 to 65535; ${sendsNone}` }]
      }),
  )

/** Lines by which mail is asked for; keepalived sends none where it knows nobody to send it to (smtp.c `smtp_alert`). */
const alertsUnsent = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const hasMail = globalsOf(director).some(one => keyword(one) === 'notification_email' && one.block?.length !== 0)
    const [alert] = everyStatement(director.statements).filter(
      ({ words: [word, value] }) =>
        /^smtp_alert(?:_vrrp|_checker)?$/.test(word.text) && !['off', 'no', 'false'].includes(value?.text ?? ''),
    )
    if (!alert || hasMail) return []
    const message = `${keyword(alert)} asks for mail, and there is no notification_email: keepalived sends none`
    return [{ at: alert.at, message }]
  })

const SYNC_OPTIONS = ['inst', 'id', 'maxlen', 'port', 'ttl', 'group']

/** The instance of `lvs_sync_daemon INTERFACE INSTANCE`, or behind `inst` (global_parser.c `lvs_syncd_handler`). */
const syncInstance = ({ directors }: LintInput): Found[] =>
  directors.flatMap(director => {
    const names = all(director.statements, 'vrrp_instance').map(one => one.words[1]?.text)
    return globalsOf(director)
      .filter(one => keyword(one) === 'lvs_sync_daemon')
      .flatMap(({ words: [, , second, ...rest] }) => {
        const options = [second, ...rest]
        const word = options[options.findIndex(one => one?.text === 'inst') + 1]
        return word === undefined || SYNC_OPTIONS.includes(word.text) || names.includes(word.text) ? [] : [word]
      })
      .map(({ text, at }) => ({
        at,
        message: `there is no vrrp_instance ${text}; keepalived starts no sync daemon`,
      }))
  })

export const globalRules: Rule[] = [
  {
    code: 'alert-unsent',
    severity: 'warning',
    rejected: false,
    title: 'Mail is asked for, and nobody is named to get it',
    why: 'Without notification_email keepalived sends no mail, and says nothing (smtp.c smtp_alert).',
    remedy: 'Write notification_email { name@domain } into global_defs, and smtp_server where it is not this host.',
    check: alertsUnsent,
  },
  {
    code: 'sync-instance-unknown',
    severity: 'error',
    rejected: false,
    title: 'lvs_sync_daemon names an instance that is not there',
    why: 'keepalived says so in its log when it starts, not in its configuration test, and clears the line (vrrp.c vrrp_complete_init).',
    remedy: 'Write the name of a vrrp_instance.',
    check: syncInstance,
  },
  {
    code: 'mail-invalid',
    severity: 'warning',
    rejected: false,
    title: 'A mail address that is none',
    why: 'keepalived takes each word for an address, and the mail server refuses it; [email protected] is what a web page shows instead of an address.',
    remedy: 'Write the address alone, name@domain.',
    check: mails,
  },
  {
    code: 'smtp-server-invalid',
    severity: 'error',
    rejected: true,
    title: 'A mail server whose address or port is none',
    why: 'keepalived takes it for a name, asks for it when it starts, and goes without mail (global_parser.c smtpserver_handler).',
    remedy:
      'Write an address, or a name that the director can look up, and the number of the port as a word of its own.',
    check: smtpServer,
  },
]
