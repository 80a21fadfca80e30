import { expect, test } from 'vitest'
import { aptWords } from './package-index.ts'

test('of what apt says, its errors matter, each once', () => {
  const stderr =
    'W: odd\nE: Unable to correct problems\nnoise\nE: Unable to correct problems\nE: two\nE: three\nE: four\n'
  expect(aptWords({ stderr })).toBe('Unable to correct problems; two; three')
  expect(aptWords({ stderr }, 1)).toBe('Unable to correct problems')
  expect(aptWords(new Error('spawn apt-get ENOENT'))).toBe('Error: spawn apt-get ENOENT')
})
