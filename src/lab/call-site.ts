import path from 'node:path'
import type { Operation, Operations } from '../agent/protocol.ts'
import { formatPosition, LvslabError, type Position } from '../errors.ts'
import { shortPath } from '../topology/find.ts'

const OWN = path.resolve(import.meta.dirname, '..') + path.sep

/** The stack of a call, for {@link notAwaited}. Text is made of it only where somebody asks. */
export const callSite = (): { stack?: string } => {
  const site: { stack?: string } = {}
  Error.captureStackTrace(site, callSite)
  return site
}

const positionOf = (frame: string): Position | undefined => {
  const [, file, line, column] = /(?:file:\/\/)?(\/[^()]*):(\d+):(\d+)\)?$/.exec(frame) ?? []
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) }
}

/** Whether a frame is of whoever uses a lab, and not of the harness or of what runs it. */
const isUsers = (frame: string): boolean => {
  const file = positionOf(frame)?.file
  if (file === undefined || file.includes('/node_modules/')) return false
  return !file.startsWith(OWN) || file.endsWith('.test.ts')
}

/** What a suite wrote to have the agent do this. */
const WORDS: { [O in Operation]: (args: Operations[O]['args']) => string } = {
  attach: () => 'the start of the lab',
  detach: () => 'the end of the lab',
  watch: () => 'the start of the lab',
  snapshot: () => 'lab.snapshot()',
  warmUp: () => 'the start of the lab',
  restDocker: () => 'the start of the lab',
  now: () => 'lab.now()',
  sleep: ({ ms }) => `lab.sleep(${ms})`,
  until: ({ condition }) => `lab.until({ kind: '${condition.kind}' })`,
  mark: ({ label }) => `lab.mark('${label}')`,
  exec: ({ node, argv }) => `lab.exec('${node}', ${JSON.stringify(argv)})`,
  fault: ({ phase, fault, node }) =>
    phase === 'heal' ? `the heal of ${fault} on ${node}` : `lab.inject('${fault}', '${node}')`,
  startProbe: ({ type, probe }) => `lab.${type}({ probe: '${probe}' })`,
  stopProbe: ({ probe }) => `stop() of the probe ${probe}`,
  endedProbe: ({ probe }) => `ended() of the probe ${probe}`,
  startCapture: ({ capture }) => `lab.capture({ capture: '${capture}' })`,
  stopCapture: ({ capture }) => `the end of the capture ${capture}`,
  schedule: () => 'lab.schedule()',
}

/** For a call that had no answer yet when its lab was closed: nobody awaited it, or the wait was cut short. */
export const notAwaited = <O extends Operation>(
  op: O,
  args: Operations[O]['args'],
  site: { stack?: string },
): LvslabError => {
  const frames = (site.stack ?? '').split('\n').slice(1)
  const first = frames.findIndex(isUsers)
  const at = positionOf(frames[first] ?? '')
  const what = WORDS[op](args)
  const where = at ? `, called at ${formatPosition({ ...at, file: shortPath(at.file) })}` : ''
  const message = `the lab was closed while ${what} was under way${where}`
  const error = new LvslabError('LAB_CALL_PENDING', message, {
    ...(at && { at }),
    remedy: `await ${what.startsWith('lab.') ? what : 'it'}`,
    exitCode: 2,
  })
  // test runners show the place that a stack begins with
  if (at) error.stack = [`${error.name}: ${message}`, ...frames.slice(first)].join('\n')
  return error
}
