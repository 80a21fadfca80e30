/** What somebody asked for and cannot have, with what to ask for instead. */
export class Refusal extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}
