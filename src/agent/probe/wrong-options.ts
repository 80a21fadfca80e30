import { isIPv4 } from 'node:net'
import type { ProbeOptions } from '../protocol.ts'
import { parseTarget } from './running.ts'

/** Why a probe cannot be started with these options, naming the value; undefined where it can. */
export const wrongOptions = (options: ProbeOptions): string | undefined => {
  const { sources, ports, timeoutMs } = options
  const positive: [string, number][] = [['timeoutMs', timeoutMs]]
  if ('rate' in options) positive.push(['rate', options.rate])
  if ('count' in options && options.count !== undefined) positive.push(['count', options.count])
  if (options.type === 'tcp') positive.push(['connections', options.connections], ['everyMs', options.everyMs])
  for (const [name, value] of positive) if (!(value > 0)) return `${name} ${value}: more than 0 is needed`
  if (options.type === 'curl' && !(options.pauseMs >= 0)) return `pauseMs ${options.pauseMs}: 0 or more is needed`
  if (sources && !(sources.length > 0 && sources.every(isIPv4)))
    return `sources ${sources.join(', ') || '(none)'}: IPv4 addresses are needed`
  const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536
  if (ports && !(ports.length > 0 && ports.every(isPort)))
    return `ports ${ports.join(', ') || '(none)'}: 1 to 65535 are ports`
  if (options.type === 'udp' && options.newPorts && ports) return 'newPorts: the ports are named by `ports`'
  if ('url' in options)
    return /^https?:\/\/[^/]+/.test(options.url) ? undefined : `${options.url} is no http or https URL`
  try {
    parseTarget(options.target)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
