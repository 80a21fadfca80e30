/** What was found when something that the engine needs was tried. */
export interface Finding {
  /** What was tried, in a few words: `passt`, `memory`. */
  what: string
  /** `missing`: no lab runs without it; `warning`: labs run, but slower, fewer, or not all of them. */
  state: 'found' | 'missing' | 'warning'
  /** What was seen, with the value. */
  detail: string
  /** What to do about it: commands to be typed as they stand, one on each line. */
  remedy?: string
}

/** Runs one check; a check that fails in a way nobody thought of is a finding too. @throws when the signal aborts */
export const finding = async (what: string, check: () => Promise<Finding>, signal?: AbortSignal): Promise<Finding> => {
  signal?.throwIfAborted()
  try {
    return await check()
  } catch (error) {
    signal?.throwIfAborted()
    return { what, state: 'missing', detail: firstLine(error instanceof Error ? error.message : String(error)) }
  }
}

/** First line of what a program said that says anything, cut to what fits beside a name. */
export const firstLine = (text: string): string => {
  const line = text
    .split('\n')
    .map(one => one.trim())
    .find(one => one !== '')
  return (line ?? 'no message').slice(0, 200)
}
