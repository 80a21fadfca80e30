import { nearest } from '../topology/did-you-mean.ts'

/** `; did you mean "scope"?`, or nothing where no choice is near. */
export const near = (word: string, choices: readonly string[]): string => {
  const best = nearest(word, choices)
  return best === undefined ? '' : `; did you mean "${best}"?`
}
