import type { Readable, Writable } from 'node:stream'
import type Docker from 'dockerode'
import type { Clock } from './vm/machine.ts'

export type EngineKind = 'vm' | 'docker'

/** What the other end says, and what it is told; destroying both leaves it. */
export interface Line {
  from: Readable
  to: Writable
}

/** A Docker Engine whose kernel has ip_vs, for one lab. Nothing above this may assume the host's clock. */
export interface Engine extends AsyncDisposable {
  kind: EngineKind
  /** Proved on every connection; two forks never share it. */
  id: string
  clock: Clock
  docker: Docker
  /** What `docker` and testcontainers need in their environment to reach it. */
  environment: Record<string, string>
  /** Facts for reports: kernel, QEMU, keepalived... */
  facts: Record<string, string>
  /**
   * Runs something that talks to the engine. On the virtual clock the lab stands still outside of it: an idle lab would run
   * minutes ahead of a harness that thinks for a second. Calls may nest and overlap.
   */
  awake<T>(run: () => Promise<T>): Promise<T>
  /**
   * A line to the agent, apart from the Docker Engine: one byte for another, for one conversation at a time. Without it the agent is
   * spoken to by the standard input and output of its container.
   */
  agentPort?: {
    /** Device in the engine's machine, for the agent. */
    device: string
    open(): Line
  }
  /** Resolves, with the reason, when the engine has ended by itself. */
  ended: Promise<string>
}
