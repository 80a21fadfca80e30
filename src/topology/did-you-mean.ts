import { closest, distance } from 'fastest-levenshtein'

/** The candidate that a misspelled word most likely meant; undefined when none is near. */
export const nearest = (word: string, candidates: readonly string[]): string | undefined => {
  if (candidates.length === 0) return undefined
  const best = closest(word.toLowerCase(), candidates)
  const limit = Math.max(1, Math.floor(Math.max(word.length, best.length) / 3))
  return distance(word.toLowerCase(), best) <= limit || letters(word) === letters(best) ? best : undefined
}

// Letters that changed places count twice as edits, which is too much in a short word: `vai` for `via`.
const letters = (word: string): string => word.toLowerCase().split('').sort().join('')

/** `; did you mean "lan"?`, or what the choices are when none is near, or nothing when there are none. */
export const hint = (word: string, candidates: readonly string[], plural: string): string => {
  const best = nearest(word, candidates)
  if (best !== undefined) return `; did you mean "${best}"?`
  return candidates.length === 0 ? '' : `; ${plural}: ${candidates.map(name => `"${name}"`).join(', ')}`
}
