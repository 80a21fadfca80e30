/** How people write a duration: a number and its unit, as one word. */
export const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** What a duration must look like, to end a sentence with. */
export const DURATION_FORM = 'a number above 0 with ms, s, m or h, e.g. 90s'

/** `90s`, `1500ms`, `2m`, `1h` -> ms; undefined where the text is no duration, or none above 0. */
export const parseDuration = (text: string): number | undefined => {
  const [, number, unit] = DURATION.exec(text) ?? []
  if (number === undefined || unit === undefined) return undefined
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN)
  return ms > 0 && Number.isFinite(ms) ? ms : undefined
}
