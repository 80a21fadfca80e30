import { styleText } from 'node:util'
import type { Progress, Steps } from '../engine/progress.ts'
import { formatDuration } from '../report/measurement.ts'

interface Running {
  title: string
  depth: number
  started: number
  detail: string
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/**
 * Progress on standard error: on a terminal the steps that are running, live, beneath those that are done; elsewhere one
 * line when a step begins and one when it ends.
 */
export const terminalSteps = (out: NodeJS.WriteStream): Steps & Disposable => {
  const live = out.isTTY && process.env['CI'] === undefined
  const running = new Set<Running>()
  let drawn = 0
  let frame = 0
  const took = (since: number): string =>
    styleText('dim', formatDuration(performance.now() - since, 1), { stream: out })
  const clear = (): void => {
    if (drawn > 0) out.write(`\x1b[${drawn}A\x1b[J`)
    drawn = 0
  }
  const draw = (): void => {
    clear()
    const width = out.columns || 80
    for (const step of running) {
      const detail = step.detail ? ` · ${step.detail}` : ''
      const line = `${'  '.repeat(step.depth)}${FRAMES[frame % FRAMES.length]} ${step.title}${detail}`
      out.write(`${line.length > width - 10 ? `${line.slice(0, width - 11)}…` : line} ${took(step.started)}\n`)
      drawn++
    }
  }
  const print = (line: string): void => {
    clear()
    out.write(`${line}\n`)
    if (live) draw()
  }
  const timer = live
    ? setInterval(() => {
        frame++
        draw()
      }, 100).unref()
    : undefined
  return {
    async step<T>(title: string, run: (progress: Progress) => Promise<T>): Promise<T> {
      const step: Running = { title, depth: 0, started: performance.now(), detail: '' }
      running.add(step)
      if (live) draw()
      else print(`> ${title}`)
      try {
        const result = await run(what => {
          step.detail = what
        })
        running.delete(step)
        print(
          `${styleText('green', '✓', { stream: out })} ${title}${step.detail ? ` · ${step.detail}` : ''} ${took(step.started)}`,
        )
        return result
      } catch (error) {
        running.delete(step)
        print(`${styleText('red', '✗', { stream: out })} ${title} ${took(step.started)}`)
        throw error
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      clear()
    },
  }
}
