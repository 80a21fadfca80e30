import { marksOf } from '../config/marks.ts'
import type { DirectorConfig } from '../model/types.ts'
import { rulesIn } from '../topology/rules.ts'
import { type Brought, broughtFile } from './write.ts'

/** What is to be asked of marks that no rule sets which a director brings. */
export const markQuestions = (configs: DirectorConfig[], directors: Brought[]): string[] =>
  configs.flatMap(({ node, services }) => {
    const { from = {} } = directors.find(one => one.node === node) ?? {}
    const set = marksOf(rulesIn(file => broughtFile(from, file))).map(({ mark }) => mark)
    return services.flatMap(({ fwmark, family }) =>
      fwmark === undefined || set.includes(fwmark)
        ? []
        : [
            `${node}: mark ${fwmark} is set by no rule that was given: etc/iptables/rules.v${family ?? 4} must set it, in its folder beside etc/keepalived`,
          ],
    )
  })
