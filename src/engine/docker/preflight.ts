import { randomBytes } from 'node:crypto'
import type Docker from 'dockerode'
import { LvslabError, messageOf } from '../../errors.ts'
import { firstLine } from '../finding.ts'
import type { DockerEngine } from './docker-engine.ts'

/**
 * Does what a director does, in a network namespace of its own, with the schedulers as arguments. There is no modprobe in a
 * container, and none is needed where modules may be loaded: the kernel loads a scheduler when it is first named, and since
 * Linux 5.16 ip_vs itself when it is first asked for (net/netfilter/ipvs/ip_vs_ctl.c, MODULE_ALIAS_GENL_FAMILY).
 */
const TRIAL = `
try() { what=$1; shift; if words=$("$@" 2>&1); then echo "have $what"; else echo "lack $what $words"; fi; }
try ip_vs ipvsadm -Ln
port=1
for scheduler; do
  try ip_vs_$scheduler ipvsadm -A -t 127.0.0.1:$port -s $scheduler
  port=$((port + 1))
done
echo "version keepalived $(keepalived --version 2>&1)"
echo "version ipvsadm $(ipvsadm --version 2>&1)"
`

export interface PreflightOptions {
  /** Image that has ipvsadm and keepalived. */
  image: string
  /** Without the prefix: `rr`. */
  schedulers: string[]
  /** Of the trial's container and network: a killed run leaves them to be found. */
  labels: Record<string, string>
  signal?: AbortSignal | undefined
}

/** Something of the kernel that was tried in vain, and what was said. */
export interface Lack {
  /** Name of the module: `ip_vs`, `ip_vs_sh`, `dummy`, `macvlan`. */
  module: string
  words: string
}

/** What the trial's output says. */
export interface Trial {
  lacks: Lack[]
  /** Versions of programs in the image, for reports. */
  versions: Record<string, string>
}

/**
 * Really tries what a lab needs of the engine's kernel: ip_vs, each scheduler, dummy and macvlan interfaces. Takes about a
 * second and leaves nothing behind, except modules that the kernel loaded by itself.
 *
 * @returns versions of the image's programs
 * @throws LvslabError DOCKER_NO_IPVS, DOCKER_NO_SCHEDULER, DOCKER_NO_MACVLAN with the modules to load; DOCKER_PRIVILEGED
 */
export const preflight = async (engine: DockerEngine, options: PreflightOptions): Promise<Record<string, string>> => {
  const { docker } = engine
  const lacks: Lack[] = []
  const network = await makeNetwork(docker, options).catch((error: unknown) => {
    lacks.push({ module: 'dummy', words: messageOf(error) })
    return undefined
  })
  try {
    options.signal?.throwIfAborted()
    const output = network
      ? await runTrial(docker, network.id, options).catch((error: unknown) => {
          lacks.push({ module: 'macvlan', words: messageOf(error) })
          return undefined
        })
      : undefined
    options.signal?.throwIfAborted()
    const trial = readTrial(output ?? (await runAlone(engine, options)))
    const all = [...trial.lacks, ...lacks]
    if (all.length > 0) throw lacking(engine, all)
    return trial.versions
  } finally {
    await network?.remove()
  }
}

/** As the networks of a lab are: without a parent, so that Docker makes a dummy interface for it. */
const makeNetwork = (docker: Docker, { labels }: PreflightOptions): Promise<Docker.Network> => {
  const [byte = 0, ...rest] = randomBytes(4)
  return docker.createNetwork({
    Name: `lvslab-preflight-${Buffer.from(rest).toString('hex')}`,
    Driver: 'macvlan',
    Internal: true,
    Options: { macvlan_mode: 'bridge' },
    // for benchmarks (RFC 2544), so nobody's; Docker's own pools may be used up
    IPAM: { Driver: 'default', Config: [{ Subnet: `198.18.${byte}.0/29` }] },
    Labels: labels,
  })
}

const runTrial = async (docker: Docker, network: string, options: PreflightOptions): Promise<string> => {
  const container = await docker.createContainer({
    Image: options.image,
    Entrypoint: ['/bin/sh', '-c', TRIAL, 'preflight', ...options.schedulers],
    Tty: true, // output comes as it is, not in frames
    Labels: options.labels,
    HostConfig: { Privileged: true, NetworkMode: network },
  })
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true })
    let output = ''
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const ended = new Promise<void>(resolve => void stream.once('end', resolve).once('close', resolve))
    await container.start()
    await container.wait()
    await ended
    return output
  } finally {
    await container.remove({ force: true, v: true })
  }
}

/** Where macvlan is what is missing, the rest is tried all the same, so that one message names everything. */
const runAlone = async (engine: DockerEngine, options: PreflightOptions): Promise<string> => {
  try {
    return await runTrial(engine.docker, 'none', options)
  } catch (cause) {
    const message = `the Docker Engine at ${engine.address} runs no privileged container: ${messageOf(cause)}`
    throw new LvslabError('DOCKER_PRIVILEGED', message, {
      remedy: 'docker run --rm --privileged debian true # must work; an authorization plugin may forbid it',
      cause,
    })
  }
}

/** Reads the output of the trial; a program may say several lines, of which the first counts. */
export const readTrial = (output: string): Trial => {
  const trial: Trial = { lacks: [], versions: {} }
  for (const line of output.split('\n')) {
    const [, verb, what = '', words = ''] = /^(lack|version) (\S+) ?(.*)$/.exec(line.trimEnd()) ?? []
    if (verb === 'lack') trial.lacks.push({ module: what, words: firstLine(words) })
    const version = /v([\d.]+)/.exec(words)?.[1]
    if (verb === 'version' && version) trial.versions[what] = version
  }
  return trial
}

const codeOf = (modules: string[]): string => {
  if (modules.includes('ip_vs')) return 'DOCKER_NO_IPVS'
  return modules.some(module => module.startsWith('ip_vs')) ? 'DOCKER_NO_SCHEDULER' : 'DOCKER_NO_MACVLAN'
}

/** One error for all that is missing: the first cause gives the code, the remedy loads everything. */
export const lacking = (engine: Pick<DockerEngine, 'address' | 'facts'>, lacks: Lack[]): LvslabError => {
  const modules = lacks.map(lack => lack.module)
  const what = lacks.map(({ module, words }) => `${module} (${words})`).join(', ')
  const message = `the kernel ${engine.facts['kernel']} of the Docker Engine at ${engine.address} lacks ${what}`
  return new LvslabError(codeOf(modules), message, {
    remedy: [
      `sudo modprobe -a ${modules.join(' ')} # on the machine of that engine`,
      '# where they are not found, Ubuntu has them in: sudo apt-get install "linux-modules-extra-$(uname -r)"',
      '# or leave --engine docker out: the embedded engine brings its own kernel',
    ].join('\n'),
  })
}
