import { z } from 'zod'
import { LvslabError } from '../../errors.ts'
import { hint } from '../../topology/did-you-mean.ts'
import type { Target } from './fault.ts'

/** `device`: the node's first interface where it is left out. */
export const deviceParam = z.string().optional()

/** The device that a fault is about. @throws LvslabError FAULT_DEVICE for one that the node does not have */
export const deviceOf = ({ node, params }: Target<{ device?: string | undefined }>): string => {
  const names = node.interfaces.map(i => i.name)
  const device = params.device ?? names[0] ?? ''
  if (names.includes(device)) return device
  throw new LvslabError('FAULT_DEVICE', `${node.name} has no device "${device}"${hint(device, names, 'its devices')}`, {
    remedy: `device: ${names.join(' or ')}, as topology.yaml has them`,
    exitCode: 2,
  })
}
