import type { VirtualService } from '../../model/types.ts'
import type { Director, Found, LintInput } from '../rule.ts'

/** What is found of each service of each director. */
export const eachService =
  (judge: (service: VirtualService, director: Director, input: LintInput) => Found[]) =>
  (input: LintInput): Found[] =>
    input.directors.flatMap(director => director.config.services.flatMap(service => judge(service, director, input)))
