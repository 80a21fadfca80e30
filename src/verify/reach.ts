import { endpoint } from '../model/endpoint.ts'
import type { VirtualService } from '../model/types.ts'

/** How clients reach a service, whoever makes its table. */

/** Convergence waits this much longer than predicted, ms of lab time: nodes start one after the other. */
export const CONVERGENCE_MARGIN_MS = 15_000

/** As the kernel's table calls a service: `TCP 10.0.0.100:80`, `FWM 50`. */
export const tableName = ({ address = '', port = 0, fwmark, protocol }: VirtualService): string =>
  fwmark === undefined ? `${protocol} ${endpoint(address, port)}` : `FWM ${fwmark}`

/** Why no probe can drive a port of a service; undefined where one can. Probes speak HTTP. */
export const undriven = ({ protocol, fwmark, realServers }: VirtualService, port: number): string | undefined => {
  if (protocol !== 'TCP' || !port) return 'only TCP services with a port are driven'
  const checks = realServers.flatMap(server => server.checks.map(check => check.type))
  // what a service on several ports is checked by says nothing of each of them
  const speaksHttp = port === 80 || port === 8080 || (fwmark === undefined && checks.includes('HTTP_GET'))
  return speaksHttp ? undefined : `only HTTP is spoken, and nothing says that port ${port} serves it`
}
