import { readFileSync } from 'node:fs'
import { readIpvsadm } from '../config/ipvsadm.ts'
import { readLdirectord } from '../config/ldirectord.ts'
import type { DirectorConfig } from '../model/types.ts'
import type { Node } from '../topology/types.ts'
import type { Director } from './rule.ts'

/** Who reads a configuration: keepalived.conf, what `ipvsadm --restore` takes, ldirectord.cf. */
export type Program = 'keepalived' | 'ipvsadm' | 'ldirectord'

/** Whose configuration a text is; none of them is in doubt where it is one at all. */
export const programOf = (text: string): Program => {
  const first = text.split('\n').find(line => !/^\s*(?:[#!]|$)/.test(line)) ?? ''
  if (/^\s*(?:\S*ipvsadm\s+)?--?[A-Za-z]/.test(first)) return 'ipvsadm'
  return /^\s*\w+\s*=/.test(first) ? 'ldirectord' : 'keepalived'
}

/** A director whose IPVS table comes from a file of ipvsadm's or ldirectord's. */
export const readTable = (name: string, file: string, program: Program, node?: Node): Director => {
  const text = readFileSync(file, 'utf8')
  const { services, notices } = program === 'ipvsadm' ? readIpvsadm(text, file) : servicesOf(readLdirectord(text, file))
  const config: DirectorConfig = { node: name, instances: [], services, startupDelay: 0, files: [file], notices }
  return { name, program, config, statements: [], errors: [], fileOf: () => undefined, ...(node ? { node } : {}) }
}

const servicesOf = ({
  services,
  notices,
}: ReturnType<typeof readLdirectord>): Pick<DirectorConfig, 'services' | 'notices'> => ({
  services: services.map(one => one.service),
  notices,
})
