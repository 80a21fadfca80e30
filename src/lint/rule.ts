import type { Statement } from '../config/keepalived/parse.ts'
import type { LvslabError, Position } from '../errors.ts'
import type { LdirectordConfig } from '../model/ldirectord.ts'
import type { DirectorConfig } from '../model/types.ts'
import type { Program } from '../topology/director-files.ts'
import type { Node, Topology } from '../topology/types.ts'

/** error: keepalived refuses or ignores what stands there, or the service cannot work. */
export type Severity = 'error' | 'warning' | 'info'

/** One director's configuration, as far as it could be read. */
export interface Director {
  name: string
  /** Name that `@NAME` lines ask for. */
  instance: string
  program: Program
  /** Every statement of keepalived.conf, those that nobody knows among them; includes are in place. */
  statements: Statement[]
  config: DirectorConfig
  /** Of ldirectord.cf; each of its services is one of `config`. */
  ldirectord?: LdirectordConfig
  /** What the reader stopped at, and read past. */
  errors: LvslabError[]
  /** Path beside the configuration of a file that the node has; undefined where such files were not given. */
  fileOf: (path: string) => string | undefined
  /** Of a topology. */
  node?: Node
}

/** A rule that is for the files of every program. */
export const EVERY_PROGRAM: readonly Program[] = ['keepalived', 'ldirectord', 'ipvsadm']

/** Whether a rule is for the files of a program. */
export const isFor = ({ programs = ['keepalived'] }: Rule, program: Program): boolean => programs.includes(program)

/** What is judged together: the directors of one folder, or of the files that were named. */
export interface LintInput {
  directors: Director[]
  topology?: Topology
  /** `--max-detection`: how long a silent real server may stay in the table, ms. */
  maxDetectionMs?: number
}

/** What a rule found, and where. */
export interface Found {
  at: Position
  /** One sentence: what stands there, and what comes of it. Never a secret. */
  message: string
  /** Where it is more than the rule's own. */
  remedy?: string | undefined
  /** Where the other side of a difference stands. */
  other?: Position
}

/** One thing that can be wrong; its texts are its page (`lvslab lint --explain CODE`). */
export interface Rule {
  /** Stable: people write it into `lvslab-disable-next-line`. */
  code: string
  severity: Severity
  /** Whether `keepalived --config-test` ends with an error because of it (measured with keepalived 2.3.3). */
  rejected: boolean
  /** Whose files it is for; keepalived's alone where it is left out. */
  programs?: readonly Program[]
  /** What is wrong, in one line. */
  title: string
  /** What comes of it, with the source. */
  why: string
  remedy: string
  /** A configuration that it is found in. */
  example?: string
  /** Notices of the reader that are this rule's: the first rule that matches takes a notice. */
  notice?: RegExp
  /** Errors of the reader that are this rule's. */
  errors?: string[]
  check?: (input: LintInput) => Found[]
}

/** A finding with the rule that it comes from. */
export interface Finding extends Found {
  code: string
  severity: Severity
  remedy: string
}
