import { marksOf } from '../config/marks.ts'
import type { DirectorConfig } from '../model/types.ts'
import { rulesIn } from '../topology/rules.ts'
import { type Brought, broughtFile } from './write.ts'

/** What is to be asked of marks that no rule sets which a director brings. */
export const markQuestions = (configs: DirectorConfig[], directors: Brought[]): string[] =>
  configs.flatMap(({ node, services }) => {
    const { from = {} } = directors.find(one => one.node === node) ?? {}
    const set = marksOf(rulesIn(file => broughtFile(from, file)))
    return services.flatMap(({ fwmark, family = 4 }) =>
      fwmark === undefined || set.some(one => one.mark === fwmark && one.family === family)
        ? []
        : [
            `${node}: mark ${fwmark} is set by no rule that was given: etc/iptables/rules.v${family} must set it, in its folder beside etc/keepalived`,
          ],
    )
  })
