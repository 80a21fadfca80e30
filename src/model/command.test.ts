import { expect, test } from 'vitest'
import { commandWords } from './command.ts'

test.for([
  ['/usr/bin/a  b\tc', ['/usr/bin/a', 'b', 'c']],
  [`sh -c 'a || b' "c d"e`, ['sh', '-c', 'a || b', 'c de']],
  // a quote behind a backslash is one that the program gets
  [String.raw`sh -c \"pidof haproxy\"`, ['sh', '-c', '"pidof', 'haproxy"']],
  [String.raw`a 'b \'c' "d \"e" f\ g \\`, ['a', "b 'c", 'd "e', 'f g', '\\']],
  [String.raw`a \x41z \101 \t \cA \q`, ['a', 'Az', 'A', '\t', '\u0001', 'q']],
  [' ', []],
] as const)('%j is %j', ([command, words]) => {
  expect(commandWords(command)).toEqual(words)
})
