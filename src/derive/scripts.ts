import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { isInside } from '../config/keepalived/include.ts'
import { looksFor } from '../model/looks-for.ts'
import type { DirectorConfig } from '../model/types.ts'
import { OWN_PROCESSES } from '../topology/schema.ts'
import type { Draft, DraftNode } from './draft.ts'
import type { Brought } from './write.ts'

/** What is on every director without being asked for. */
const RUNS = ['keepalived', 'nginx']

/** A script of the operator's that is not here: what it would ask is not in the lab either. */
const ALWAYS = '#!/bin/sh\n# Stands for a script that was not given: it always succeeds.\nexit 0\n'

/**
 * Gives each director what the scripts that it tracks look for: a process of the name that `killall -0` or `pidof` asks for, and for a script
 * that the director does not bring one that succeeds. What any other looks for is a question.
 */
export const withScripts = (draft: Draft, configs: DirectorConfig[], directors: Brought[]): Draft => {
  const questions: string[] = []
  const nodes = draft.nodes.map((node): DraftNode => {
    const config = configs.find(one => one.node === node.name)
    const brings = directors.find(one => one.node === node.name)?.from ?? {}
    const processes = new Set<string>()
    const files = { ...node.files }
    const tracked = config?.instances.flatMap(({ trackScripts }) => trackScripts.map(({ script }) => script)) ?? []
    for (const { name, command } of tracked) {
      const target = looksFor(command)
      const which = `${node.name}: vrrp_script ${name}`
      if (target && 'process' in target && RUNS.includes(target.process)) continue
      if (!target || ('process' in target && OWN_PROCESSES.includes(target.process))) {
        questions.push(
          `${which} runs ${command}: what it looks for must be in the folder of ${node.name}, or the VIP may not come up`,
        )
      } else if ('process' in target) {
        const { process } = target
        processes.add(process)
        questions.push(`${which} looks for a process ${process}: one that does nothing stands for it`)
      } else if (!isBrought(brings, target.file)) {
        files[target.file] = ALWAYS
        questions.push(`${which} runs ${target.file}, which was not given: one that always succeeds stands for it`)
      }
    }
    return { ...node, files, ...(processes.size > 0 && { processes: [...processes] }) }
  })
  return { ...draft, nodes, questions: [...draft.questions, ...new Set(questions)] }
}

/** Whether a file of the node is among what the director brings. */
const isBrought = (from: Brought['from'], file: string): boolean =>
  Object.entries(from).some(([to, source]) => isInside(to, file) && existsSync(join(source, relative(to, file))))
