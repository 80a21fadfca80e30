import * as keepalived from './keepalived.ts'
import * as httpd from './httpd.ts'

/** One way to break something, and the way back. Both are commands that run inside the node, as root. */
export interface Fault {
  /** What it does, in the present, with `NODE` for the node: shown in reports. */
  title: string
  inject: string[]
  heal: string[]
}

/** Every fault that a lab can inject, by the name that the journal has it under. */
export const FAULTS = {
  'keepalived-stop': keepalived.stop,
  'keepalived-crash': keepalived.crash,
  'httpd-stop': httpd.stop,
  'httpd-crash': httpd.crash,
} satisfies Record<string, Fault>

export type FaultName = keyof typeof FAULTS
