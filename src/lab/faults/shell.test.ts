import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sh } from './shell.ts'

test('whatever is put into a script arrives as one word', () => {
  const unit = fc.constantFrom(...'\'"$`\\ \n\t*~;&|#-%aé'.split(''))
  const value = fc.string({ unit })
  fc.assert(
    fc.property(fc.array(value, { maxLength: 40 }), values => {
      const script = sh`
        for word in ${values}; do
          printf '%s\0' "$word"
        done`
      const output = execFileSync('sh', ['-c', script]).toString()
      expect(output).toBe(values.map(word => `${word}\0`).join(''))
    }),
    { numRuns: 5 },
  )
})

test('the indentation of the source is dropped, that of a value is not', () => {
  expect(sh`
    one
      two ${'a\n  b'}
  `).toBe("one\ntwo 'a\n  b'")
})
