/** Words as a shell takes them: each in single quotes. */
export const quote = (words: string[]): string => words.map(w => `'${w.replaceAll("'", `'\\''`)}'`).join(' ')
