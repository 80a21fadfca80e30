import { z } from 'zod'
import { LvslabError } from '../../errors.ts'
import { deviceOf, deviceParam } from './device.ts'
import { defineFault, type Target } from './fault.ts'
import { sh } from './shell.ts'

const percent = z.number().min(0).max(100).optional()
const milliseconds = z.number().positive().max(60_000).optional()

const params = z.strictObject({
  device: deviceParam,
  /** The packets of this protocol alone; the others leave at once. */
  protocol: z.enum(['arp']).optional(),
  /** ms */
  delayMs: milliseconds,
  /** ms, around the delay */
  jitterMs: milliseconds,
  /** % of the packets that never arrive */
  lossPercent: percent,
  /** % of the packets that are sent at once, past those that are delayed */
  reorderPercent: percent,
  /** % of the packets that arrive twice */
  duplicatePercent: percent,
  /** % of the packets with a wrong bit */
  corruptPercent: percent,
})

/** Words of tc-netem(8). */
const words = ({ params: p }: Target<z.output<typeof params>>): string[] => {
  const jitter = p.jitterMs === undefined ? [] : [`${p.jitterMs}ms`]
  const option = (name: string, value: number | undefined): string[] => (value === undefined ? [] : [name, `${value}%`])
  return [
    ...(p.delayMs === undefined ? [] : ['delay', `${p.delayMs}ms`, ...jitter]),
    ...option('loss', p.lossPercent),
    ...option('duplicate', p.duplicatePercent),
    ...option('corrupt', p.corruptPercent),
    ...option('reorder', p.reorderPercent),
  ]
}

const refuse = (message: string): never => {
  throw new LvslabError('FAULT_PARAMS', `netem: ${message}`, {
    remedy: `lab.inject('netem', NODE, { delayMs: 50, jitterMs: 5 })`,
    exitCode: 2,
  })
}

/** Impairs what a node sends by one device; what it receives is impaired at the sender. A handle of its own, `6c76:`. */
export const netem = defineFault({
  title: 'packets of NODE are delayed, lost or reordered',
  params,
  example: { delayMs: 50, lossPercent: 1 },
  check: target => {
    deviceOf(target)
    const { delayMs, jitterMs, reorderPercent } = target.params
    if (delayMs === undefined && jitterMs !== undefined) refuse(`jitterMs ${jitterMs} without a delayMs`)
    // tc: only what is delayed can be overtaken
    if (delayMs === undefined && reorderPercent !== undefined)
      refuse(`reorderPercent ${reorderPercent} without a delayMs`)
    if (words(target).length === 0) refuse('nothing to impair: no delay, loss, duplication, corruption or reordering')
  },
  inject: target => {
    const device = deviceOf(target)
    const prepare = sh`
      is=$(tc qdisc show dev ${device} root)
      case $is in
      'qdisc noqueue '* | 'qdisc pfifo_fast '* | 'qdisc fq_codel '* | 'qdisc mq '*) ;;
      *) fail ${`${device} has a root qdisc already:`} "$is" ;;
      esac`
    const { protocol } = target.params
    const script =
      protocol === undefined
        ? sh`tc qdisc add dev ${device} root handle 6c76: netem ${words(target)}`
        : // no packet is put into the fourth band by its priority, only by the filter; what is half done is taken back
          sh`
          tc qdisc add dev ${device} root handle 6c76: prio bands 4
          tc qdisc add dev ${device} parent 6c76:4 netem ${words(target)} &&
            tc filter add dev ${device} parent 6c76: protocol ${protocol} u32 match u32 0 0 flowid 6c76:4 ||
            { tc qdisc del dev ${device} root handle 6c76:; exit 1; }`
    return [{ node: target.node.name, prepare, script }]
  },
  // where somebody was faster, the proof decides
  heal: target => [{ node: target.node.name, script: sh`tc qdisc del dev ${deviceOf(target)} root handle 6c76: || :` }],
  healed: target => [
    {
      node: target.node.name,
      script: sh`! tc qdisc show dev ${deviceOf(target)} | grep -e 6c76: -e netem >&2 || fail 'a qdisc of the fault is left'`,
    },
  ],
})
