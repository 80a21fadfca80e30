import { type Promises, promised } from '../judge/promises.ts'
import type { Plan, PlannedVip } from './plan.ts'
import { whoeverComesFirst } from './vips.ts'
import { agendaOf, type Choice, CONVERGENCE } from './agenda.ts'

/** Says what a plan promises, in the order in which `verify` tries it. Needs no engine. */
export const promisesOf = (plan: Plan, choice?: Choice): Promises => {
  const { convergence, scenarios, limits } = agendaOf(plan, choice)
  const promises = [{ name: CONVERGENCE, checks: convergence }, ...scenarios].flatMap(({ name, checks }) =>
    checks.map(check => promised(check, name, limits)),
  )
  return { vips: [...plan.vips.map(whoHolds), ...staying(plan)], promises, untested: plan.untested }
}

/** Those that no VRRP moves. */
const staying = ({ fixed }: Plan): string[] => [
  ...new Set(fixed.map(({ vip, director }) => `${vip.address}: ${director}, without VRRP`)),
]

const whoHolds = (vip: PlannedVip): string => {
  const order = vip.members.map(
    ({ node, instance }, n) => `${node} (${n === 0 ? 'priority ' : ''}${instance.priority})`,
  )
  const doubt = whoeverComesFirst(vip)
  return `${vip.address}: ${order.join(', then ')}${doubt === undefined ? '' : `; ${doubt}`}`
}
