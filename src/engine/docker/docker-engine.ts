import { readFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import path from 'node:path'
import Docker from 'dockerode'
import { LvslabError, messageOf } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { type Endpoint, readEndpoint } from './endpoint.ts'

/** A Docker Engine that was there before lvslab, and stays. */
export interface DockerEngine extends Engine {
  kind: 'docker'
  /** `unix:///var/run/docker.sock` */
  address: string
}

/** What `docker info` says, as far as it matters here (Docker Engine API, SystemInfo). */
interface Info {
  ID: string
  ServerVersion: string
  KernelVersion: string
  OperatingSystem: string
  OSType: string
  Architecture: string
  DefaultRuntime: string
  SecurityOptions?: string[]
}

/** An engine that is reached at all answers within milliseconds; a packet filter between answers never. */
const ANSWER_DEADLINE_MS = 10_000

const OTHERWISE = 'or leave --engine docker out: the embedded engine needs no Docker on this machine'

/**
 * Connects to the Docker Engine that DOCKER_HOST names. Whether its kernel can run a lab is for the preflight to find out;
 * what it says of itself and rules a lab out is refused here.
 *
 * @throws LvslabError DOCKER_HOST, DOCKER_CERTIFICATES, DOCKER_UNREACHABLE, DOCKER_UNSUITABLE
 */
export const connectDocker = async (signal?: AbortSignal): Promise<DockerEngine> => {
  const endpoint = readEndpoint(process.env)
  const agent = await makeAgent(endpoint)
  try {
    const docker = new Docker({ ...endpoint.connection, agent } as never)
    const info = await inTime(docker.info() as Promise<Info>, endpoint, signal)
    refuseUnsuitable(endpoint, info)
    return {
      kind: 'docker',
      id: info.ID,
      clock: 'real',
      address: endpoint.address,
      docker,
      environment: endpoint.environment,
      facts: {
        docker: info.ServerVersion,
        kernel: info.KernelVersion,
        architecture: info.Architecture,
        system: info.OperatingSystem,
        runtime: info.DefaultRuntime,
        clock: 'real',
      },
      awake: run => run(),
      // an engine that goes away closes every connection, and each of them says so
      ended: new Promise(() => {}),
      async [Symbol.asyncDispose]() {
        agent.destroy()
      },
    }
  } catch (error) {
    agent.destroy()
    throw error
  }
}

const makeAgent = async ({ certificates }: Endpoint): Promise<http.Agent> => {
  const options = { keepAlive: true, maxSockets: 16 }
  if (certificates === undefined) return new http.Agent(options)
  const read = (name: string): Promise<Buffer> => readFile(path.join(certificates, name))
  try {
    const [ca, cert, key] = await Promise.all(['ca.pem', 'cert.pem', 'key.pem'].map(read))
    return new https.Agent({ ...options, ca, cert, key })
  } catch (cause) {
    throw new LvslabError('DOCKER_CERTIFICATES', `DOCKER_TLS_VERIFY is set, and ${messageOf(cause)}`, {
      remedy:
        'export DOCKER_CERT_PATH=/a/folder/with/ca.pem/cert.pem/key.pem\n# or, without TLS: unset DOCKER_TLS_VERIFY',
      exitCode: 2,
      cause,
    })
  }
}

const inTime = async <T>(answer: Promise<T>, { address }: Endpoint, signal?: AbortSignal): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Error(`no answer within ${ANSWER_DEADLINE_MS / 1000} s`)),
    ANSWER_DEADLINE_MS,
  )
  const abort = (): void => reject(signal?.reason as Error)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    signal?.throwIfAborted()
    return await Promise.race([answer, late])
  } catch (cause) {
    signal?.throwIfAborted()
    throw unreachable(address, cause)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

const unreachable = (address: string, cause: unknown): LvslabError =>
  new LvslabError('DOCKER_UNREACHABLE', `no Docker Engine answers at ${address}: ${messageOf(cause)}`, {
    remedy: `${remedyFor(cause, address)}\n# ${OTHERWISE}`,
    cause,
  })

const remedyFor = (cause: unknown, address: string): string => {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  if (code === 'EACCES') return 'sudo usermod -aG docker "$USER" # then log in again'
  if (address.startsWith('unix:')) {
    return 'sudo systemctl start docker\n# or, where it listens elsewhere: export DOCKER_HOST=tcp://HOST:PORT'
  }
  return '# check DOCKER_HOST, and DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, in the environment; `docker version` shows the same'
}

/** What no privileged container, and so no lab, runs on; the bundled Node of the agent is for x86_64. */
const refuseUnsuitable = ({ address }: Endpoint, info: Info): void => {
  const security = info.SecurityOptions ?? []
  const why = [
    info.OSType !== 'linux' && `it runs ${info.OSType} containers`,
    info.Architecture !== 'x86_64' && `its machine is ${info.Architecture}, and the images are for x86_64`,
    security.includes('name=rootless') && 'it is rootless, and a lab needs the modules and namespaces of the real root',
    security.includes('name=userns') && 'it remaps users (userns-remap), which rules privileged containers out',
  ].filter(reason => reason !== false)
  if (why.length === 0) return
  throw new LvslabError('DOCKER_UNSUITABLE', `the Docker Engine at ${address} runs no lab: ${why.join('; ')}`, {
    remedy: `export DOCKER_HOST=... # of an engine on Linux, x86_64, under root\n# ${OTHERWISE}`,
  })
}
