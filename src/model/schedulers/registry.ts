import { dh } from './dh.ts'
import { fo } from './fo.ts'
import { lblc } from './lblc.ts'
import { lblcr } from './lblcr.ts'
import { lc } from './lc.ts'
import { mh } from './mh.ts'
import { nq } from './nq.ts'
import { ovf } from './ovf.ts'
import { rr } from './rr.ts'
import { sed } from './sed.ts'
import { sh } from './sh.ts'
import { twos } from './twos.ts'
import type { SchedulerDefinition } from './types.ts'
import { wlc } from './wlc.ts'
import { wrr } from './wrr.ts'

/** The kernel's schedulers, by the name that `lb_algo` and `ipvsadm -s` have for them. */
export const SCHEDULERS = {
  rr,
  wrr,
  lc,
  wlc,
  sed,
  nq,
  sh,
  dh,
  mh,
  lblc,
  lblcr,
  fo,
  ovf,
  twos,
} satisfies Record<string, SchedulerDefinition>

export type SchedulerName = keyof typeof SCHEDULERS

export const SCHEDULER_NAMES = Object.keys(SCHEDULERS) as SchedulerName[]
