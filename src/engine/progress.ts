/** Says what a long step is doing right now; shown to people, never parsed. */
export type Progress = (what: string) => void

/** Runs named steps; the command line shows them as a live tree, a library user may ignore them. */
export interface Steps {
  /** @param title in the present: `Install the guest's packages` */
  step<T>(title: string, run: (progress: Progress) => Promise<T>): Promise<T>
}

/** Steps that nobody watches. */
export const silent: Steps = { step: (_title, run) => run(() => {}) }
