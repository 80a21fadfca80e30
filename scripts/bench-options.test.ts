import { expect, test } from 'vitest'
import { benchOptions, clock, list, number, oneOf, whole } from './bench-options.ts'

const shape = {
  forks: whole(1).default(40),
  idle: number().default(60),
  rates: list(number(1)).default([50, 100]),
  cause: list(oneOf(['keepalived-crash', 'keepalived-stop'])).optional(),
  clock: clock.optional(),
}
const read = (...args: string[]) => benchOptions(shape, args)

test('takes what the schemas take, and the defaults of the rest', () => {
  expect(read()).toEqual({ forks: 40, idle: 60, rates: [50, 100] })
  expect(read('--forks', '2', '--idle=0.5', '--clock', 'real')).toMatchObject({ forks: 2, idle: 0.5, clock: 'real' })
  expect(read('--rates', '10,20', '--cause', 'keepalived-crash')).toMatchObject({
    ...{ rates: [10, 20], cause: ['keepalived-crash'] },
  })
  expect(read('--rates', '').rates).toEqual([])
})

test.for<[string[], string]>([
  [['--forks', 'x'], '--forks x: a whole number from 1 on is needed'],
  [['--forks', '0'], '--forks 0: a whole number from 1 on is needed'],
  [['--forks', '-1'], '--forks -1: a whole number from 1 on is needed'],
  [['--forks', '1.5'], '--forks 1.5: '],
  [['--forks', ''], '--forks : '],
  [['--forks', '1e9'], '--forks 1e9: '],
  [['--idle', 'Infinity'], '--idle Infinity: a number from 0 on is needed'],
  [['--rates', '10,x'], '--rates 10,x: a number from 1 on is needed'],
  [['--rates', '10,,20'], '--rates 10,,20: '],
  [['--cause', 'keepalived-crush'], '--cause keepalived-crush: unknown; did you mean "keepalived-crash"?'],
  [['--clock', 'fast'], '--clock fast: unknown; there are: "real", "virtual"'],
  [['--fork', '3'], 'no option --fork; did you mean "forks"?'],
  [['-f', '3'], 'no option -f'],
  [['--forks'], '--forks needs a value'],
  [['--forks', '1', '--forks', '2'], '--forks is there twice: 1 and 2'],
  [['3'], '"3" belongs to no option'],
])('refuses %j', ([args, message]) => {
  expect(() => read(...args)).toThrow(
    expect.objectContaining({ code: 'USAGE', exitCode: 2, message: expect.stringContaining(message) }),
  )
})

test('says so where a bench has no options', () => {
  expect(() => benchOptions({}, ['--hours', '2'])).toThrow(
    expect.objectContaining({ message: 'no option --hours', remedy: 'it has no options' }),
  )
})
