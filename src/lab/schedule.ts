import type { SchedulerAnswer, SchedulerCase } from '../agent/scheduler-case.ts'
import type { AgentConnection } from './agent-connection.ts'

/** Cases of one call: they must be through before entries expire, also on a slow engine. */
const BATCH = 100

/** Has the agent play cases, a batch at a time. The lab's own directors and clients take no part in it. */
export const playCases = async (agent: AgentConnection, cases: SchedulerCase[]): Promise<SchedulerAnswer[]> => {
  const answers: SchedulerAnswer[] = []
  for (let from = 0; from < cases.length; from += BATCH) {
    const batch = await agent.call('schedule', { cases: cases.slice(from, from + BATCH) })
    answers.push(...batch.answers)
  }
  return answers
}
