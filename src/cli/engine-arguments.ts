import { LvslabError } from '../errors.ts'
import { dockerSource } from '../lab/docker-source.ts'
import type { LabSource } from '../lab/lab-source.ts'
import type { PrepareOptions } from '../lab/vm-labs.ts'
import { vmSource } from '../lab/vm-source.ts'

/** Arguments of every verb that runs labs. */
export const engineArguments = {
  engine: { type: 'string', description: 'vm (embedded) or docker (the engine that DOCKER_HOST names)', default: 'vm' },
  clock: {
    type: 'string',
    description: 'real, or virtual (vm engine under software emulation); default: virtual where there is one',
  },
} as const

/** The clock that `--clock` names. */
export const clockOf = (clock: string | undefined): PrepareOptions['clock'] => {
  if (clock === undefined || clock === 'real' || clock === 'virtual') return clock ?? 'default'
  throw refused(`--clock ${clock}: real or virtual`)
}

const refused = (message: string): LvslabError =>
  new LvslabError('USAGE', message, { remedy: 'lvslab doctor says what this machine has', exitCode: 2 })

/** Where labs come from, as the arguments say. */
export const sourceOf = (args: { engine: string; clock?: string | undefined }): LabSource => {
  const { engine, clock } = args
  const wanted = clockOf(clock)
  if (engine === 'vm') return vmSource(wanted)
  if (engine !== 'docker') throw refused(`--engine ${engine}: vm or docker`)
  if (wanted === 'virtual') throw refused('--clock virtual: the vm engine alone has it')
  return dockerSource()
}
