import { type Promises, promised } from '../judge/promises.ts'
import type { Plan, PlannedVip } from './plan.ts'
import { lists, whoeverComesFirst } from './vips.ts'
import { agendaOf, type Choice, CONVERGENCE } from './agenda.ts'

/** Says what a plan promises, in the order in which `verify` tries it. Needs no engine. */
export const promisesOf = (plan: Plan, choice?: Choice): Promises => {
  const { convergence, scenarios, limits } = agendaOf(plan, choice)
  const promises = [{ name: CONVERGENCE, checks: convergence }, ...scenarios].flatMap(({ name, checks }) =>
    checks.map(check => promised(check, name, limits)),
  )
  return { vips: [...plan.vips.map(whoHolds), ...plan.fixedVips.map(staying)], promises, untested: plan.untested }
}

/** One that no VRRP moves. */
const staying = ({ address, members }: PlannedVip): string => `${address}: ${members[0]?.node}, without VRRP`

const whoHolds = (vip: PlannedVip): string => {
  const order = vip.members.map((member, n) => {
    const priority = `${n === 0 ? 'priority ' : ''}${member.instance.priority}`
    return `${member.node} (${priority}${lists(member, vip) ? '' : `, ${member.instance.name} does not list it`})`
  })
  const doubt = whoeverComesFirst(vip)
  return `${vip.address}: ${order.join(', then ')}${doubt === undefined ? '' : `; ${doubt}`}`
}
