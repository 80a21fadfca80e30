import { watchAddresses } from './addresses.ts'
import { endCaptures } from './capture.ts'
import { snapshotIpvs } from './ipvs.ts'
import { leaveKeepalivedLog, watchKeepalivedLog } from './keepalived-log.ts'
import { leaveLdirectordLog, watchLdirectordLog } from './ldirectord-log.ts'
import { endWatchers } from './namespace.ts'
import { endProbeProcess, startProbeProcess } from './probes.ts'
import type { AgentNode } from './protocol.ts'
import { watchWire } from './wire.ts'

/** What a director alone is watched for. */
export const watchDirector = (node: AgentNode): void => {
  watchKeepalivedLog(node)
  watchLdirectordLog(node)
  for (const { device, network } of node.interfaces) watchWire(node, device, network)
  void snapshotIpvs(node, 'start', false)
}

/** What every node is watched for; a client also gets the process that its probes run in. */
export const watchNode = async (node: AgentNode): Promise<void> => {
  await Promise.all([watchAddresses(node), ...(node.role === 'client' ? [startProbeProcess(node)] : [])])
}

/** Ends all of it before a node goes down: a watcher that goes with its node as planned is no trouble. */
export const leaveNode = (node: AgentNode): void => {
  leaveKeepalivedLog(node)
  leaveLdirectordLog(node)
  endWatchers(node)
  endCaptures(node)
  endProbeProcess(node)
}
