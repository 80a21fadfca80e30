import { readFileSync, statSync } from 'node:fs'
import { LvslabError, messageOf } from '../errors.ts'
import type { LdirectordConfig } from '../model/ldirectord.ts'
import type { DirectorConfig } from '../model/types.ts'
import { readIpvsadm } from './ipvsadm.ts'
import { readLdirectord } from './ldirectord.ts'

/** What makes the IPVS table of a director without keepalived. */
export type TableProgram = 'ldirectord' | 'ipvsadm'

/** Whose configuration a text is; none of them is in doubt where it is one at all. */
export const programOf = (text: string): 'keepalived' | TableProgram => {
  const first = text.split('\n').find(line => !/^\s*(?:[#!]|$)/.test(line)) ?? ''
  if (/^\s*(?:\S*ipvsadm\s+)?--?[A-Za-z]/.test(first)) return 'ipvsadm'
  return /^\s*\w+\s*=/.test(first) ? 'ldirectord' : 'keepalived'
}

/** What a director without keepalived is configured to do: it has services and no VRRP. */
export interface TableConfig extends DirectorConfig {
  program: TableProgram
  /** Of ldirectord: how it checks the services, each of which is one of `services`. */
  ldirectord?: LdirectordConfig
}

/** Bytes of a file; one of 100,000 servers has a tenth. */
const MOST_BYTES = 64 * 2 ** 20

/**
 * Reads an ldirectord.cf, or what `ipvsadm-save` wrote. What the program ignores, refuses or ends at is listed in `notices`.
 *
 * @param node name of the director
 * @throws LvslabError CONFIG_UNREADABLE, CONFIG_TOO_LARGE; exit code 2
 */
export const readTable = (node: string, program: TableProgram, file: string): TableConfig => {
  const text = readText(file)
  const common = { node, program, instances: [], startupDelay: 0, files: [file] }
  if (program === 'ipvsadm') {
    const { services, notices } = readIpvsadm(text, file)
    return { ...common, services, notices }
  }
  const ldirectord = readLdirectord(text, file)
  return { ...common, services: ldirectord.services.map(one => one.service), notices: ldirectord.notices, ldirectord }
}

const readText = (file: string): string => {
  try {
    const stat = statSync(file)
    if (!stat.isFile()) throw new Error('it is not a file')
    if (stat.size > MOST_BYTES)
      throw new LvslabError('CONFIG_TOO_LARGE', `${file} has more than ${MOST_BYTES / 2 ** 20} MiB`, {
        remedy: 'give the configuration itself, as its program reads it',
        exitCode: 2,
      })
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (cause instanceof LvslabError) throw cause
    throw new LvslabError('CONFIG_UNREADABLE', `${file} cannot be read: ${messageOf(cause)}`, {
      remedy: 'sudo cp -r the configuration to a folder of your own, or read it as a user who may',
      exitCode: 2,
      cause,
    })
  }
}
