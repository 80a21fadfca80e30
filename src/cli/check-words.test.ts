import { describe, expect, it } from 'vitest'
import { checkWords } from './check-words.ts'
import { planCommand } from './verbs/plan.ts'

const check = (words: string) => () => checkWords(planCommand as never, words.split(' '), 'plan')

describe('an option that takes a value', () => {
  it.each(['pair --max-gap', 'pair --max-gap --json'])('needs one: %s', words => {
    expect(check(words)).toThrow('--max-gap needs a value')
  })

  it.each(['pair --max-gap -1s', 'pair --max-gap=-1s', 'pair --max-gap -.5s', 'pair --max-gap 3s --json'])(
    'has one, whatever it is worth: %s',
    words => {
      expect(check(words)).not.toThrow()
    },
  )
})

it('takes no further word, and no option that there is not', () => {
  expect(check('pair other')).toThrow('"other" is one argument too many: this verb takes DIR alone')
  expect(check('pair --max-gab 3s')).toThrow('no option --max-gab; did you mean "max-gap"?')
})
