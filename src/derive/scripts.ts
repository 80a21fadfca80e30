import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type LooksFor, looksFor, PROCESS_NAME } from '../model/looks-for.ts'
import type { DirectorConfig, VrrpInstance } from '../model/types.ts'
import { OWN_PROCESSES } from '../topology/processes.ts'
import type { Draft, DraftNode } from './draft.ts'
import { type Brought, broughtFile } from './write.ts'

/** What is on every director without being asked for. */
const RUNS = ['keepalived', 'nginx']

/** Where a program of the director's own would be. */
const FOLDERS = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin']

/** A script of the operator's that is not here: what it would ask is not in the lab either. */
const ALWAYS = '#!/bin/sh\n# Stands for a script that was not given: it always succeeds.\nexit 0\n'
const NEVER = ALWAYS.replace('succeeds', 'fails').replace('exit 0', 'exit 1')

/**
 * Gives each director what it tracks: a process of the name that `killall -0`, `pidof` or `track_process` looks for, and for a script that the
 * director does not bring one that succeeds. What any other looks for is a question.
 */
export const withScripts = (draft: Draft, configs: DirectorConfig[], directors: Brought[]): Draft => {
  const questions = new Set<string>()
  const nodes = draft.nodes.map((node): DraftNode => {
    const config = configs.find(one => one.node === node.name)
    const brings = directors.find(one => one.node === node.name)?.from ?? {}
    const given =
      config?.instances.flatMap(trackedBy).map(tracked => ({ tracked, ...standIn(tracked, brings, node.name) })) ?? []
    for (const { tracked, question } of given) if (question) questions.add(`${node.name}: ${tracked.what} ${question}`)
    const processes = [...new Set(given.flatMap(({ process }) => process ?? []))]
    return {
      ...node,
      files: { ...node.files, ...Object.assign({}, ...given.map(({ files }) => files)) },
      ...(processes.length > 0 && { processes }),
    }
  })
  return { ...draft, nodes, questions: [...draft.questions, ...questions] }
}

/** What a director gets for something that it tracks, and what is to be said of that. */
interface StandIn {
  process?: string
  files?: Record<string, string>
  question?: string
}

const standIn = ({ words, target, weight, reverse }: Tracked, brings: Brought['from'], node: string): StandIn => {
  if (!target || ('process' in target && isOdd(target.process)))
    return { question: `${words}: what it looks for must be in the folder of ${node}, or ${without(weight)}` }
  if ('process' in target) {
    const { process } = target
    const looks = `looks for a process ${process}`
    if (RUNS.includes(process)) return {}
    if (reverse) return { question: `${looks}, with reverse: none is there` }
    if (FOLDERS.some(folder => broughtFile(brings, join(folder, process)) !== undefined))
      return { question: `${looks}: etc/rc.local of ${node} must start the one in its folder` }
    return { process, question: `${looks}: one that does nothing stands for it` }
  }
  const { file, isRead } = target
  const own = broughtFile(brings, file)
  if (own === undefined) {
    const how = reverse ? 'fails, as it is tracked with reverse,' : 'succeeds'
    return {
      files: { [file]: reverse ? NEVER : ALWAYS },
      question: `runs ${file}, which was not given: one that always ${how} stands for it`,
    }
  }
  return isRead || (statSync(own).mode & 0o111) !== 0
    ? {}
    : { question: `runs ${file}, which is not executable: keepalived does not track it before chmod +x` }
}

interface Tracked {
  /** `vrrp_script chk` */
  what: string
  /** `runs /etc/keepalived/check.sh` */
  words: string
  target: LooksFor | undefined
  weight: number
  /** It is to fail while nothing is wrong. */
  reverse: boolean
}

/** What follows where it fails from the start. */
const without = (weight: number): string =>
  weight === 0 ? 'the VIP may not come up' : `the priority is not the planned one (weight ${weight})`

const trackedBy = ({ trackScripts, scriptsOfGroup = [], trackObjects = [] }: VrrpInstance): Tracked[] => [
  ...[...trackScripts, ...scriptsOfGroup].map(({ script: { name, command }, weight, reverse }) => ({
    ...{ what: `vrrp_script ${name}`, words: `runs ${command}`, target: looksFor(command), weight, reverse },
  })),
  ...trackObjects.map(({ kind, name, of, weight, reverse }) => {
    const process = basename(of)
    // with arguments keepalived compares those too (core/track_process.c)
    const isName = kind === 'process' && !of.includes(' ') && PROCESS_NAME.test(process)
    return {
      what: `track_${kind} ${name}`,
      words: `looks at ${of}`,
      target: isName ? { process } : undefined,
      weight,
      reverse,
    }
  }),
]

/** A name that no stand-in on a director may have. */
const isOdd = (process: string): boolean => OWN_PROCESSES.director.includes(process) && !RUNS.includes(process)
