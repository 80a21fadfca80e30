import type { z } from 'zod'
import { configChange } from './config-change.ts'
import { httpdCrash } from './httpd-crash.ts'
import { httpdError } from './httpd-error.ts'
import { httpdHang } from './httpd-hang.ts'
import { httpdRefuse } from './httpd-refuse.ts'
import { httpdSlow } from './httpd-slow.ts'
import { httpdStop } from './httpd-stop.ts'
import { ipvsadm } from './ipvsadm.ts'
import { keepalivedCheckerKilled } from './keepalived-checker-killed.ts'
import { keepalivedCrash } from './keepalived-crash.ts'
import { keepalivedFreeze } from './keepalived-freeze.ts'
import { keepalivedParentKilled } from './keepalived-parent-killed.ts'
import { keepalivedReload } from './keepalived-reload.ts'
import { keepalivedStop } from './keepalived-stop.ts'
import { keepalivedVrrpKilled } from './keepalived-vrrp-killed.ts'
import { linkDown } from './link-down.ts'
import { listenerCrash } from './listener-crash.ts'
import { netem } from './netem.ts'
import { nodeKill } from './node-kill.ts'
import { nodePause } from './node-pause.ts'
import { nodeRestart } from './node-restart.ts'
import { partition } from './partition.ts'
import { processCrash } from './process-crash.ts'
import { scriptFailure } from './script-failure.ts'
import { vrrpBlock } from './vrrp-block.ts'

/** Every fault that a lab can inject, by the name that the journal has it under. */
export const FAULTS = {
  'keepalived-stop': keepalivedStop,
  'keepalived-crash': keepalivedCrash,
  'keepalived-parent-killed': keepalivedParentKilled,
  'keepalived-vrrp-killed': keepalivedVrrpKilled,
  'keepalived-checker-killed': keepalivedCheckerKilled,
  'keepalived-freeze': keepalivedFreeze,
  'keepalived-reload': keepalivedReload,
  'httpd-stop': httpdStop,
  'httpd-crash': httpdCrash,
  'httpd-slow': httpdSlow,
  'httpd-error': httpdError,
  'httpd-hang': httpdHang,
  'httpd-refuse': httpdRefuse,
  'link-down': linkDown,
  'vrrp-block': vrrpBlock,
  partition,
  netem,
  'node-pause': nodePause,
  'node-kill': nodeKill,
  'node-restart': nodeRestart,
  'listener-crash': listenerCrash,
  'process-crash': processCrash,
  'script-failure': scriptFailure,
  'config-change': configChange,
  ipvsadm,
}

export type FaultName = keyof typeof FAULTS

/** What each fault is told beside its node. */
export type FaultParams = { [F in FaultName]: z.input<(typeof FAULTS)[F]['params']> }

type Optional<P> = P extends Record<string, never> ? true : Partial<P> extends P ? true : false

/** The parameters as the last argument of a call: it may be left out where none is needed. */
export type FaultArguments<F extends FaultName> =
  Optional<FaultParams[F]> extends true ? [params?: FaultParams[F]] : [params: FaultParams[F]]
