import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DirectorConfig } from '../model/types.ts'
import { readInputs } from './input.ts'
import { lint } from './lint.ts'
import { folderWith } from './testing.ts'

/**
 * The configurations of documents exactly as they were published, typing errors and all: each error is named at its place;
 * corrected in those places, nothing is found any more (but `left`), and it is what a topology here has.
 */
interface Document {
  /** Folder of fixtures. */
  folder: string
  /** What is given to lint, in it. */
  paths: string[]
  /** `file:line:column code`, all of them. */
  findings: string[]
  /** Lines that are written anew, by file; undefined takes one out. Odd blanks become blanks besides. */
  corrections: Record<string, Record<number, string | undefined>>
  /** What is found in the corrected ones: of the rule that sets a mark, which is of another file than lint is given. */
  left?: string[]
  /** Files of which the document says only in what they differ from another: that one, with these lines. */
  copies?: Record<string, { of: string; lines: Record<number, string | undefined> }>
  /** Scripts that the document leaves to the reader. */
  scripts?: string[]
  /** Topology whose directors have the corrected configuration. */
  topology?: string
}

const FIXTURES = join(import.meta.dirname, 'fixtures')

const times = (lines: number[], text: string | undefined): Record<number, string | undefined> =>
  Object.fromEntries(lines.map(line => [line, text]))

const retries = (file: string): string[] => [15, 27].map(line => `${file}:${line}:1 keyword-deprecated`)
const notify = (file: string, line: number): string[] =>
  [0, 1, 2].map(n => `${file}:${line + n}:${n === 2 ? 14 : 15} script-unusable`)
const SECURE = 'script_user root\nenable_script_security'

const DOCUMENTS: Record<string, Document> = {
  '000: two pools, pasted from a page with its blanks': {
    folder: 'document-000',
    paths: ['master.conf', 'backup.conf'],
    findings: [
      'backup.conf:2:1 refused',
      'backup.conf:2:1 vip-missing',
      'backup.conf:2:14 blank-odd',
      'backup.conf:2:20 brace-unbalanced',
      'backup.conf:4:5 keyword-joined',
      'master.conf:3:1 blank-odd',
      ...[61, 115].flatMap(line => [
        `master.conf:${line}:1 service-empty`,
        `master.conf:${line + 8}:1 keyword-removed`,
        `master.conf:${line + 16}:1 keyword-joined`,
        `master.conf:${line + (line === 61 ? 24 : 26)}:1 keyword-misplaced`,
        `master.conf:${line + (line === 61 ? 34 : 36)}:1 keyword-joined`,
        `master.conf:${line + (line === 61 ? 42 : 46)}:1 keyword-misplaced`,
      ]),
    ],
    corrections: {
      'master.conf': {
        ...times([69, 123], undefined),
        ...times([85, 103, 141, 161], 'retry 3'),
        77: 'real_server 10.0.1.103 80 {',
        95: 'real_server 10.0.1.104 80 {',
        131: 'real_server 10.0.1.105 80 {',
        151: 'real_server 10.0.1.106 80 {',
      },
    },
    copies: { 'backup.conf': { of: 'master.conf', lines: { 31: 'state BACKUP', 37: 'priority 99' } } },
    topology: 'keepalived-two-pools',
  },
  '002: the pair': {
    folder: 'document-002/dr',
    paths: ['.'],
    findings: [
      ...retries('d1/conf.d/lvs_nginx.conf'),
      ...[15, 16, 17].map(line => `d1/conf.d/vip_nginx.conf:${line}:1 keyword-misplaced`),
      ...retries('d2/conf.d/lvs_nginx.conf'),
      'd2/conf.d/vip_nginx.conf:2:1 state-unknown',
      ...notify('d2/conf.d/vip_nginx.conf', 14),
    ],
    corrections: {
      'd1/conf.d/lvs_nginx.conf': times([15, 27], 'retry 3'),
      'd1/conf.d/vip_nginx.conf': { 14: undefined, 17: 'notify_fault "/etc/keepalived/notify.sh fault"\n}' },
      'd1/keepalived.conf': { 15: `vrrp_mcast_group4 233.6.6.6\n${SECURE}` },
      'd2/conf.d/lvs_nginx.conf': times([15, 27], 'retry 3'),
      'd2/conf.d/vip_nginx.conf': { 2: 'state BACKUP' },
      'd2/keepalived.conf': { 15: `vrrp_mcast_group4 233.6.6.6\n${SECURE}` },
    },
    scripts: ['d1/notify.sh', 'd2/notify.sh'],
    topology: 'keepalived-dr',
  },
  '002: one service by firewall mark': {
    folder: 'document-002/fwmark',
    paths: ['.'],
    findings: [
      'lvs_nginx.conf:1:1 mark-unknown',
      'lvs_nginx.conf:5:1 protocol-of-mark',
      'lvs_nginx.conf:6:1 port-of-mark',
      'lvs_nginx.conf:7:1 port-of-mark',
      'lvs_nginx.conf:15:1 keyword-deprecated',
      'lvs_nginx.conf:19:1 port-of-mark',
      'lvs_nginx.conf:27:1 keyword-deprecated',
    ],
    left: ['lvs_nginx.conf:1:1 mark-unknown'],
    corrections: {
      'lvs_nginx.conf': {
        5: undefined,
        6: 'sorry_server 127.0.0.1',
        7: 'real_server 10.0.0.10 {',
        19: 'real_server 10.0.0.20 {',
        ...times([15, 27], 'retry 3\nconnect_port 80'),
      },
    },
    topology: 'keepalived-fwmark',
  },
  '002: two directors with nginx': {
    folder: 'document-002/nginx',
    paths: ['.'],
    findings: [
      ...notify('d1/conf.d/vip_nginx.conf', 17),
      'd1/keepalived.conf:19:8 track-script-unusable',
      'd2/conf.d/vip_nginx.conf:5:1 priority-equal',
      ...notify('d2/conf.d/vip_nginx.conf', 17),
      'd2/keepalived.conf:19:8 track-script-unusable',
    ],
    corrections: {
      'd1/keepalived.conf': { 15: `vrrp_mcast_group4 233.6.6.6\n${SECURE}` },
      'd2/keepalived.conf': { 15: `vrrp_mcast_group4 233.6.6.6\n${SECURE}` },
      'd2/conf.d/vip_nginx.conf': { 5: 'priority 80' },
    },
    scripts: ['d1/notify.sh', 'd1/check_nginx.sh', 'd2/notify.sh', 'd2/check_nginx.sh'],
    topology: 'nginx-pair',
  },
  '003: persistence_timeout 0, mail addresses that the page hides': {
    folder: 'document-003',
    paths: ['master.conf', 'slave.conf'],
    findings: ['master.conf', 'slave.conf'].flatMap(file => [
      `${file}:4:1 mail-invalid`,
      `${file}:4:8 mail-invalid`,
      `${file}:6:25 mail-invalid`,
      `${file}:6:32 value-extra`,
      `${file}:29:1 persistence-zero`,
      `${file}:35:1 keyword-misplaced`,
      `${file}:44:1 keyword-misplaced`,
    ]),
    corrections: Object.fromEntries(
      ['master.conf', 'slave.conf'].map(file => [
        file,
        {
          4: 'admin@example.com',
          6: 'notification_email_from admin@example.com',
          29: undefined,
          ...times([35, 44], 'retry 3'),
        },
      ]),
    ),
    topology: 'keepalived-pair-rr',
  },
  // its hosts are in another network, which the topology has
  '001: DR by ipvsadm alone': table('document-001', 'dr.rules'),
  '001: TUN by ipvsadm alone': table('document-001', 'tun.rules', 'ipvsadm-tun'),
  '003: a persistent port': table('document-003', 'ppc.rules'),
  '003: all ports of a persistent client': table('document-003', 'pcc.rules'),
  '003: a persistent mark, where rr is given weights': {
    ...table('document-003', 'pnmpp.rules'),
    findings: ['pnmpp.rules:1:9 mark-unknown', 'pnmpp.rules:1:9 weights-unused'],
    left: ['pnmpp.rules:1:9 mark-unknown'],
    corrections: { 'pnmpp.rules': { 1: 'ipvsadm -A -f 8 -s wrr -p 600' } },
  },
  '004: NAT by ipvsadm': table('document-004', 'nat.rules'),
  '004: DR by ipvsadm': table('document-004', 'dr.rules'),
  '004: HTTPS by ipvsadm': table('document-004', 'tls.rules'),
  '004: the servers of a mark come before its service': {
    ...table('document-004', 'mark.rules'),
    findings: [1, 2, 3].map(line => `mark.rules:${line}:9 ipvsadm-refused`),
    left: ['mark.rules:1:9 mark-unknown'],
    corrections: {
      'mark.rules': { 1: 'ipvsadm -A -f 10 -s rr -p\nipvsadm -a -f 10 -r 192.168.137.131 -g', 3: undefined },
    },
  },
  '004: ldirectord': table('document-004', 'ldirectord.cf', 'ldirectord-dr'),
}

/** A table with nothing wrong in it. */
function table(folder: string, path: string, topology?: string): Document {
  return { folder, paths: [path], findings: [], corrections: {}, ...(topology === undefined ? {} : { topology }) }
}

const asTyped = ({ folder }: Document): Record<string, string> => {
  const dir = join(FIXTURES, folder)
  const names = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Object.fromEntries(
    names.map(({ parentPath, name }) => {
      const file = join(parentPath, name)
      return [relative(dir, file), readFileSync(file, 'utf8')]
    }),
  )
}

const edited = (text: string, lines: Record<number, string | undefined>): string =>
  text
    .split('\n')
    .flatMap((line, index) => (index + 1 in lines ? (lines[index + 1] ?? []) : [line]))
    .join('\n')

const corrected = (document: Document): Record<string, string> => {
  const files = asTyped(document)
  for (const [name, lines] of Object.entries(document.corrections))
    files[name] = edited(files[name] ?? '', lines).replaceAll('\u00a0', ' ')
  for (const [name, { of, lines }] of Object.entries(document.copies ?? {})) {
    const moved = edited(asTyped(document)[of] ?? '', { ...document.corrections[of], ...lines })
    files[name] = moved.replaceAll('\u00a0', ' ')
  }
  for (const name of document.scripts ?? []) files[name] = '#!/bin/sh\n'
  return files
}

const inputsOf = (document: Document, files: Record<string, string>) => {
  const folder = folderWith(files, document.scripts)
  return { folder, inputs: readInputs(document.paths.map(path => join(folder, path))) }
}

const found = (document: Document, files: Record<string, string>): string[] => {
  const { folder, inputs } = inputsOf(document, files)
  return inputs
    .flatMap(input => lint(input).findings)
    .map(({ at, code }) => `${relative(folder, at.file)}:${at.line}:${at.column} ${code}`)
}

/** What a configuration says of VIPs and services, wherever it says it. */
const meaning = ({ instances, services }: DirectorConfig): Pick<DirectorConfig, 'instances' | 'services'> =>
  JSON.parse(JSON.stringify({ instances, services }, (key, value) => (key === 'at' ? undefined : value)))

describe.each(Object.entries(DOCUMENTS))('document %s', (_name, document) => {
  it('as typed', () => {
    expect(found(document, asTyped(document))).toEqual(document.findings)
  })

  it('corrected', () => {
    expect(found(document, corrected(document))).toEqual(document.left ?? [])
  })
})

const ofTopologies = Object.entries(DOCUMENTS).filter(([, { topology }]) => topology !== undefined)

it.each(ofTopologies)('document %s, corrected, is what a topology has', (_name, document) => {
  const [own = [], topology = []] = [
    inputsOf(document, corrected(document)).inputs[0],
    readInputs([`topologies/${document.topology}`])[0],
  ].map(input => input?.directors.map(director => meaning(director.config)))
  expect(own).not.toEqual([])
  expect(own).toEqual(
    // a document may show the services alone
    own.map(({ instances }, n) => ({ ...topology[n], ...(instances.length === 0 ? { instances } : {}) })),
  )
})

it('document 000: the remedy is the line that was meant', () => {
  const document = Object.values(DOCUMENTS)[0] as Document
  const findings = inputsOf(document, asTyped(document)).inputs.flatMap(input => lint(input).findings)
  expect(findings.filter(one => one.code === 'keyword-joined').map(one => one.remedy)).toEqual([
    'write: interface eth0',
    ...[3, 4, 5, 6].map(last => `write: real_server 10.0.1.10${last} 80`),
  ])
  expect(findings.find(one => one.code === 'keyword-misplaced')?.remedy).toContain('write retry')
})
