/** A value as one word of sh, whatever is in it. */
export const quote = (value: string | number): string => `'${String(value).replaceAll("'", `'\\''`)}'`

/** Words as one command of sh. */
export const commandLine = (words: (string | number)[]): string => words.map(quote).join(' ')
