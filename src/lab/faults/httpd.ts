import type { FaultStep, Proof } from '../../agent/protocol.ts'
import type { Target } from './fault.ts'
import { sh } from './shell.ts'

type Self = Target<object>

/** Finds Apache httpd's processes, the parent first: `$parent`, `$all`. */
export const FIND_HTTPD = sh`
  . /etc/apache2/envvars
  parent=$(cat "$APACHE_PID_FILE" 2>/dev/null) && kill -0 "$parent" || fail 'httpd is not running'
  all="$parent $(pgrep -P "$parent" | tr '\n' ' ')"`

/** With what {@link FIND_HTTPD} found. */
export const RUNS = sh`
  pgrep -P "$parent" >/dev/null || fail 'httpd has no children'
  ! ps -o stat= -p "$parent" --ppid "$parent" | grep -q ^T || fail 'a process of httpd is frozen'`

/** httpd runs, and none of its processes is frozen. */
export const httpdRuns = ({ node }: Self): Proof[] => [{ node: node.name, script: `${FIND_HTTPD}\n${RUNS}` }]

export const startHttpd = ({ node }: Self): FaultStep[] => [
  { node: node.name, script: '/usr/lib/lvslab/service httpd start' },
]

/** Where a fault's configuration stands; read after Debian's own. */
const snippetOf = ({ id }: Self): string => `/etc/apache2/conf-enabled/zz-lvslab-${id}.conf`

/**
 * Waits for a process of the new generation, with what {@link FIND_HTTPD} found before: Apache says that it resumes before there is
 * one. It starts one for each old one that ends, and where none does at once, as each has a request, none before its next look a
 * second later (server/mpm/event/event.c, `server_main_loop`): connections wait until then.
 */
const UNTIL_NEW = sh`
  is_new() {
    for child in $(pgrep -P "$parent"); do case " $all " in *" $child "*) ;; *) return 0 ;; esac; done
    return 1
  }
  until is_new; do sleep 0.05; done`

/** A graceful reload; it has happened when the new generation of processes has taken over. */
const reload = (target: Self, prepare: string, before: string): FaultStep[] => [
  {
    node: target.node.name,
    prepare: `${FIND_HTTPD}\n${prepare}`,
    script: `${before}\nkill -USR1 "$parent"\n${UNTIL_NEW}`,
    until: {
      kind: 'line',
      node: target.node.name,
      file: '/var/log/apache2/error.log',
      match: 'resuming normal operations',
    },
  },
]

/**
 * Adds something to httpd's configuration, in the language of httpd.conf; one that httpd does not take is refused.
 *
 * @param before script that makes what the configuration names
 */
export const configureHttpd = (target: Self, configuration: string, before = ''): FaultStep[] => {
  const snippet = snippetOf(target)
  const write = sh`
    printf '%s\n' ${configuration} >${snippet}
    apache2 -t 2>&1 || { rm -f ${snippet}; fail 'httpd does not take the configuration of the fault'; }`
  return reload(target, `${before}\n${write}`, '')
}

/** Takes away what {@link configureHttpd} added. */
export const restoreHttpd = (target: Self): FaultStep[] => reload(target, '', sh`rm -f ${snippetOf(target)}`)

/** httpd runs without what {@link configureHttpd} added. */
export const httpdRestored = (target: Self): Proof[] => [
  ...httpdRuns(target),
  {
    node: target.node.name,
    script: sh`[ ! -e ${snippetOf(target)} ] || fail "the configuration of the fault is there"`,
  },
]
