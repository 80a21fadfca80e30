import { LvslabError } from '../../errors.ts'

/** What is done with an error of the configuration: it is thrown, or kept by a reader that goes on, as `lint` does. */
export type OnError = (error: LvslabError) => void

export const throwIt: OnError = error => {
  throw error
}

/** What a reader returns, or `otherwise` where it found an error and `onError` lets it go on. */
export const attempt = <T>(read: () => T, otherwise: T, onError: OnError): T => {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof LvslabError)) throw error
    onError(error)
    return otherwise
  }
}
