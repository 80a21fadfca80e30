/** Runs something `count` times, `width` at a time; what fails is collected too. */
export const repeat = async <T>(
  count: number,
  width: number,
  run: () => Promise<T>,
): Promise<{ results: T[]; errors: string[] }> => {
  const [results, errors]: [T[], string[]] = [[], []]
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      try {
        results.push(await run())
      } catch (error) {
        errors.push(String(error))
      }
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return { results, errors }
}
