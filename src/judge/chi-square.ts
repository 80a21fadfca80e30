import jstat from 'jstat'

/** A chi-square goodness of fit. */
export interface Fit {
  /** Sum of (seen - expected)² / expected. */
  statistic: number
  /** One less than there are classes. */
  degrees: number
  /** The largest statistic that is allowed at the significance. */
  critical: number
  /** Chance of a statistic at least this large where the expected shares hold. */
  p: number
}

/**
 * Pearson's chi-square test of counts against expected counts.
 *
 * @param expected each above 0, and at least 5 for the approximation to hold (Cochran 1954)
 * @param significance chance of a false alarm, 0 to 1
 */
export const chiSquare = (seen: number[], expected: number[], significance: number): Fit => {
  const statistic = expected.reduce((sum, count, index) => sum + ((seen[index] ?? 0) - count) ** 2 / count, 0)
  const degrees = expected.length - 1
  // one class has nothing to vary
  if (degrees === 0) return { statistic, degrees, critical: 0, p: 1 }
  const { chisquare } = jstat
  return {
    statistic,
    degrees,
    critical: chisquare.inv(1 - significance, degrees),
    p: 1 - chisquare.cdf(statistic, degrees),
  }
}
