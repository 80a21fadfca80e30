import { existsSync } from 'node:fs'
import { marksOf } from '../../config/marks.ts'
import type { VirtualService } from '../../model/types.ts'
import { RULES_FOLDER, rulesIn, rulesOf } from '../../topology/rules.ts'
import { type Director, EVERY_PROGRAM, type Rule } from '../rule.ts'
import { eachService } from './each-service.ts'

/** The addresses that the rules of a director mark for a service. */
export const markedAddresses = ({ fwmark }: VirtualService, { node }: Director): string[] =>
  node && fwmark !== undefined
    ? marksOf(rulesOf(node)).flatMap(({ mark, address }) => (mark === fwmark && address !== undefined ? [address] : []))
    : []

/** The rules of a director that was given with the folder where they stand, be it empty. */
export const rulesGiven = ({ node, fileOf }: Director): string[] | undefined => {
  if (node) return rulesOf(node)
  const folder = fileOf(RULES_FOLDER)
  return folder !== undefined && existsSync(folder) ? rulesIn(fileOf) : undefined
}

const markUnset = eachService(({ fwmark, family: own = 4, at }, director) => {
  const rules = rulesGiven(director)
  if (fwmark === undefined || !rules) return []
  if (marksOf(rules).some(({ mark, family }) => mark === fwmark && family === own)) return []
  const message = `no rule of ${director.name} sets the mark ${fwmark}: no packet reaches the service`
  const remedy =
    own === 6
      ? 'write the rule into etc/iptables/rules.v6: -t mangle -A PREROUTING -d VIP -p tcp -m multiport --dports 80,443 -j MARK --set-mark N'
      : undefined
  return [{ at, message, remedy }]
})

const markUnknown = eachService(({ fwmark, at }, director) => {
  if (fwmark === undefined || rulesGiven(director)) return []
  const message = `whether a rule of ${director.name} sets the mark ${fwmark} is not known: its rules were not given`
  return [{ at, message }]
})

/** Of firewall marks, and of the rules of the packet filter that set them. */
export const markRules: Rule[] = [
  {
    code: 'mark-unset',
    severity: 'error',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'No rule sets the firewall mark of a service',
    why: 'A virtual_server fwmark gets the packets that the packet filter has marked, and no others. Told where etc/iptables is given beside etc/keepalived, in a topology or a folder of the director.',
    remedy:
      'Write the rule into etc/iptables/rules.v4, or below iptables in topology.yaml: -t mangle -A PREROUTING -d VIP -p tcp -m multiport --dports 80,443 -j MARK --set-mark N.',
    check: markUnset,
  },
  {
    code: 'mark-unknown',
    severity: 'info',
    rejected: false,
    programs: EVERY_PROGRAM,
    title: 'A firewall mark whose rule was not given',
    why: 'A virtual_server fwmark gets the packets that the packet filter has marked, and no others; the rule stands in no file that was given.',
    remedy:
      'Give a folder as the director has it: etc/keepalived/keepalived.conf, and its rules in etc/iptables/rules.v4 (iptables-save writes them).',
    check: markUnknown,
  },
]
