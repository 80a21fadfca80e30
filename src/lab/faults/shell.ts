import { commandLine } from '../../shell.ts'
import type { Target } from './fault.ts'

/**
 * A script for sh: what is put into it is quoted, a list as several words. Backslashes are the script's own, indentation is
 * the source's.
 *
 * @example sh`ip link set ${device} down`
 */
export const sh = (
  { raw }: TemplateStringsArray,
  ...values: (string | number | readonly (string | number)[])[]
): string =>
  String.raw(
    { raw: raw.map(text => text.replaceAll(/\n\s*/g, '\n')) },
    ...values.map(value => commandLine([value].flat())),
  ).trim()

/** A file in the node that one injection keeps something in until it is healed. Its folder is there in every node. */
export const kept = ({ id }: Pick<Target<unknown>, 'id'>, what: string): string => `/run/lvslab/${id}.${what}`
