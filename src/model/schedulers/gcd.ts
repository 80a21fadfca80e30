const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** Greatest common divisor of the weights that are not 0; 0 where all are. */
export const gcdOf = (weights: number[]): number => weights.reduce((result, weight) => gcd(result, weight), 0)
