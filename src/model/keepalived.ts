/**
 * Releases of keepalived that a lab can have, as operators call them, and the version of each: those of Debian 12 and 13. Where
 * they differ in what is predicted, a prediction is asked for one of them.
 */
export const KEEPALIVED = { '2.2': '2.2.7', '2.3': '2.3.3' } as const

export type KeepalivedRelease = keyof typeof KEEPALIVED

/** The one of the images: what directors run where nothing else is said, and by which configurations are read and linted. */
export const OWN_KEEPALIVED = '2.3' satisfies KeepalivedRelease
