import { isIPv4, isIPv6 } from 'node:net'
import type { ProbeOptions } from '../protocol.ts'
import { parseTarget } from './running.ts'

/** What each probe may be told. */
export const EXAMPLES: Record<ProbeOptions['type'], string> = {
  http: "lab.http({ probe: 'clients', client: 'c1', url: 'http://10.0.0.100/', rate: 50 })",
  curl: "lab.curl({ probe: 'clients', client: 'c1', url: 'http://10.0.0.100/', pauseMs: 500 })",
  tcp: "lab.tcp({ probe: 'talk', client: 'c1', target: '10.0.0.100:7', connections: 10, everyMs: 200 })",
  udp: "lab.udp({ probe: 'ask', client: 'c1', target: '10.0.0.100:7', rate: 50 })",
}

const wrongUrl = (url: string): string | undefined => {
  if (!/^https?:\/\/[^/]+/.test(url) || !URL.canParse(url)) return `${url} is no http or https URL`
  const { hostname } = new URL(url)
  if (isIPv4(hostname) || hostname.startsWith('[')) return undefined
  return `${url}: ${hostname} is a name, and nothing in a lab resolves names; an address is needed`
}

const asksIpv6 = (options: ProbeOptions): boolean =>
  /^(https?:\/\/)?\[/.test('url' in options ? options.url : options.target)

/** Why a probe cannot be started with these options, naming the value; undefined where it can. */
export const wrongOptions = (options: ProbeOptions): string | undefined => {
  const { sources, ports, timeoutMs } = options
  const positive: [string, number][] = [['timeoutMs', timeoutMs]]
  if ('rate' in options) positive.push(['rate', options.rate])
  if ('count' in options && options.count !== undefined) positive.push(['count', options.count])
  if (options.type === 'tcp') positive.push(['connections', options.connections], ['everyMs', options.everyMs])
  for (const [name, value] of positive) if (!(value > 0)) return `${name} ${value}: more than 0 is needed`
  if (options.type === 'curl' && !(options.pauseMs >= 0)) return `pauseMs ${options.pauseMs}: 0 or more is needed`
  const [version, isSource] = asksIpv6(options) ? [6, isIPv6] : [4, isIPv4]
  if (sources && !(sources.length > 0 && sources.every(isSource)))
    return `sources ${sources.join(', ') || '(none)'}: IPv${version} addresses are needed`
  const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536
  if (ports && !(ports.length > 0 && ports.every(isPort)))
    return `ports ${ports.join(', ') || '(none)'}: 1 to 65535 are ports`
  if (options.type === 'udp' && options.newPorts && ports) return 'newPorts: the ports are named by `ports`'
  if (options.type === 'http' || options.type === 'curl') return wrongUrl(options.url)
  try {
    parseTarget(options.target)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
