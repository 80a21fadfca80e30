import type { FaultStep } from '../../agent/protocol.ts'
import * as keepalived from './keepalived.ts'
import * as httpd from './httpd.ts'

/** One way to break something, and the way back. */
export interface Fault {
  /** What it does, in the present, with `NODE` for the node: shown in reports. */
  title: string
  /** What is done inside the lab, one after the other. */
  inject: (node: string) => FaultStep[]
  heal: (node: string) => FaultStep[]
}

/** Every fault that a lab can inject, by the name that the journal has it under. */
export const FAULTS = {
  'keepalived-stop': keepalived.stop,
  'keepalived-crash': keepalived.crash,
  'httpd-stop': httpd.stop,
  'httpd-crash': httpd.crash,
} satisfies Record<string, Fault>

export type FaultName = keyof typeof FAULTS
