/** What `timeout` ends with where keepalived did not answer. */
export const NO_ANSWER = 124

/** What keepalived says of a configuration: its exit code, 0 where it accepts it, and its lines. */
export interface Answer {
  code: number
  said: string
}

const FOLDER = '/tmp/lvslab-lint'
const END = 'END-OF-CONFIGURATION'

/** One word of sh, whatever is in it. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Interfaces, users and scripts that configurations name: a node that has them all is asked about nothing else. */
export const namedIn = (texts: string[]): { interfaces: string[]; users: string[]; scripts: string[] } => {
  const found = (pattern: RegExp): string[] => {
    const all = texts.flatMap(text => [...text.matchAll(pattern)].map(match => match[1] ?? match[2] ?? ''))
    return [...new Set(all)].sort()
  }
  const tracked = texts
    .flatMap(text => [...text.matchAll(/track_interface\s*\{([^}]*)\}/g)])
    .flatMap(match => (match[1] ?? '').split('\n').map(line => line.trim().split(/[\s#!]/)[0] ?? ''))
    .filter(name => /^[\w.-]{1,15}$/.test(name))
  const named = found(/^\s*(?:interface|lvs_sync_daemon(?:_interface)?)\s+([\w.-]{1,15})\b|\bdev\s+([\w.-]{1,15})\b/gm)
  return {
    interfaces: [...new Set([...named, ...tracked])],
    users: found(/^\s*(?:script_user|user)\s+(\w+)/gm),
    scripts: found(/"?(\/(?:etc|opt|usr|home|var)\/[\w./-]+)/gi).filter(path => !path.endsWith('/')),
  }
}

/** A script for sh that makes what {@link namedIn} found, where it is missing. */
export const prepareNode = ({ interfaces, users, scripts }: ReturnType<typeof namedIn>): string =>
  [
    `mkdir -p ${FOLDER}`,
    // a dummy comes without multicast, and keepalived disables an instance on such an interface
    ...interfaces.map(name => `ip link add ${name} type dummy 2>/dev/null; ip link set ${name} multicast on up`),
    ...users.map(name => `id ${name} >/dev/null 2>&1 || useradd ${name}`),
    ...scripts.map(
      path =>
        `[ -e ${quoted(path)} ] || { mkdir -p "$(dirname ${quoted(path)})" && printf '#!/bin/sh\\n' >${quoted(path)} && chmod 755 ${quoted(path)}; }`,
    ),
  ].join('\n')

/** A script for sh that asks keepalived about each text; {@link readAnswers} reads what it prints. */
export const askKeepalived = (texts: string[]): string =>
  texts
    .map(
      (text, n) =>
        `printf %s ${quoted(text)} >${FOLDER}/${n}.conf\n` +
        // A name that nobody answers for would be asked for again and again.
        `timeout 20 keepalived --config-test -f ${FOLDER}/${n}.conf </dev/null 2>&1\necho "${END} $?"`,
    )
    .join('\n')

export const readAnswers = (stdout: string): Answer[] => {
  const answers: Answer[] = []
  let lines: string[] = []
  for (const line of stdout.split('\n')) {
    const code = line.startsWith(`${END} `) ? Number(line.slice(END.length)) : undefined
    if (code === undefined) lines.push(line)
    else {
      answers.push({ code, said: lines.join('\n') })
      lines = []
    }
  }
  return answers
}
