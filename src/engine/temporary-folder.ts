/**
 * Begins something that takes the temporary folder (`os.tmpdir()`) for its files at once, and has it take another. What begins
 * meanwhile elsewhere does not see that: it is over when `begin` returns, before anything is waited for.
 */
export const beginIn = <T>(dir: string, begin: () => T): T => {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = dir
  try {
    return begin()
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}
