import type { Rule } from '../rule.ts'

/** What is said of suppressions; `lint.ts` finds it. */
export const suppressionRules: Rule[] = [
  {
    code: 'suppression-unused',
    severity: 'info',
    rejected: false,
    title: 'A suppression that suppresses nothing',
    why: 'The line after it has no such finding any more, or the code is misspelled; it would hide the next one.',
    remedy: 'Take the comment out, or correct the code.',
    example: '# lvslab-disable-next-line check-missing\n',
  },
]
