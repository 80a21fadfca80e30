import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach } from 'vitest'
import { readInputs } from './input.ts'
import { lint } from './lint.ts'
import type { Finding, LintInput } from './rule.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A folder with these files, gone after the test. Files called .run can be run, and those that are named. */
export const folderWith = (files: Record<string, string>, executable: string[] = []): string => {
  const folder = mkdtempSync(join(tmpdir(), 'lvslab-lint-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text, {
      mode: name.endsWith('.run') || executable.includes(name) ? 0o755 : 0o644,
    })
  }
  return folder
}

/** The findings in a folder with these files. */
export const findingsIn = (
  files: Record<string, string>,
  options: Pick<LintInput, 'maxDetectionMs'> = {},
): Finding[] => {
  const folder = folderWith(files)
  return readInputs([folder]).flatMap(input =>
    lint({ ...input, ...options }).findings.map(one => ({
      ...one,
      at: { ...one.at, file: relative(folder, one.at.file) },
    })),
  )
}

/** `a.conf:3:5 state-unknown`, of one code or of all. */
export const placesOf = (findings: Finding[], code?: string): string[] =>
  findings
    .filter(one => code === undefined || one.code === code)
    .map(({ at, code: own }) => `${at.file}:${at.line}:${at.column} ${own}`)

/** An instance with nothing wrong in it; `lines` stand from line 8 on. */
export const instance = (lines = '', { name = 'VI_1', priority = 100, vip = '10.0.0.100', vrid = 51 } = {}): string =>
  `vrrp_instance ${name} {\n  interface eth0\n  virtual_router_id ${vrid}\n  priority ${priority}\n` +
  `  virtual_ipaddress {\n    ${vip}\n  }\n${lines}\n}\n`

/** A service with nothing wrong in it: `lines` from line 5 on, then a real server with `check` in it. */
export const service = (lines = '', check = 'TCP_CHECK {\n    }', head = '10.0.0.100 80'): string =>
  `virtual_server ${head} {\n  protocol TCP\n  lvs_sched rr\n  lvs_method NAT\n${lines}\n` +
  `  real_server 10.0.0.11 80 {\n    weight 1\n    ${check}\n  }\n}\n`

/** With what keepalived wants of whoever has scripts. */
export const SECURE = 'global_defs {\n  enable_script_security\n  script_user root\n}\n'

/** A script to track; it stands on line 6, its path from column 10 on. */
export const script = (path: string): string => `${SECURE}vrrp_script chk {\n  script "${path}"\n}\n`

/** Lines of an instance that tracks it. */
export const TRACKED = '  track_script {\n    chk\n  }'

/** A block of an instance. */
export const auth = (pass: string, type = 'PASS'): string =>
  `  authentication {\n    auth_type ${type}\n    auth_pass ${pass}\n  }`

/** Two instances, of two VIPs. */
export const twoInstances = (): string => instance() + instance('', { name: 'VI_2', vip: '10.0.0.101', vrid: 52 })

/** A sync group of instances. */
export const group = (...names: string[]): string =>
  `vrrp_sync_group G {\n  group {\n${names.map(name => `    ${name}\n`).join('')}  }\n}\n`

/** A service by firewall mark with nothing wrong in it; `words` stand behind the address of its real server. */
export const mark = (words = ''): string =>
  service('', 'TCP_CHECK {\n      connect_port 80\n    }', 'fwmark 50')
    .replace('  protocol TCP\n', '')
    .replace('10.0.0.11 80', `10.0.0.11${words}`)

/** ldirectord.cf with nothing wrong in it. */
export const SECTION = 'virtual=10.0.0.100:80\n\treal=10.0.0.11:80 gate\n\tfallback=127.0.0.1:80 gate\n'

/** A table of ipvsadm-save with nothing wrong in it. */
export const TABLE = '-A -t 10.0.0.100:80 -s rr\n-a -t 10.0.0.100:80 -r 10.0.0.11:80 -g -w 1\n'

/** A director, a real server and a client. */
export const TOPOLOGY = `name: test
networks: { lan: { subnet: 10.0.0.0/24 } }
nodes:
  d1: { role: director, interfaces: { eth0: { network: lan, address: 10.0.0.2 } } }
  rs1: { role: realserver, interfaces: { eth0: { network: lan, address: 10.0.0.11 } } }
  c1: { role: client, interfaces: { eth0: { network: lan, address: 10.0.0.50 } } }
`
