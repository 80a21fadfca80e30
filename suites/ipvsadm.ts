import type { Lab } from '../src/lab/lab.ts'
import { run } from './steps.ts'

/** What the suites of the three topologies without keepalived share: their addresses, and how their service is asked. */

export const VIP = '172.25.12.100'
export const CLIENT = '172.25.12.250'
export const DIRECTOR = '172.25.12.1'

/** Four requests of c1 to the VIP: two cycles of `rr` over two servers. */
export const ask = async (lab: Lab, probe: string): Promise<void> => {
  const clients = await lab.http({ probe, client: 'c1', url: `http://${VIP}/`, rate: 20, count: 4 })
  await clients.ended()
}

/** Who asked a real server, as its httpd has logged it. */
export const askers = async (lab: Lab, node: string): Promise<string> =>
  (await run(lab, node, "cut -d' ' -f1 /var/log/apache2/access.log | sort -u")).stdout.trim()
