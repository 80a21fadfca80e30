import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { GenericContainer, getContainerRuntimeClient, getReaper } from 'testcontainers'
import { LvslabError, messageOf } from '../errors.ts'
import type { Engine } from './engine.ts'
import { beginIn } from './temporary-folder.ts'

/**
 * Points testcontainers at an engine. It reads its environment once and keeps one client for the process, so the client's
 * connection is replaced by the engine's own, whose every connection has proved where it ends. Its reaper stays off: an engine
 * that ends takes everything with it, and labels find the rest.
 *
 * @throws LvslabError ENGINE_IDENTITY where it does not reach that very engine
 */
export const bindTestcontainers = async (engine: Engine): Promise<void> => {
  // an engine without TLS must not inherit the certificates of another
  for (const name of ['DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH']) delete process.env[name]
  Object.assign(process.env, engine.environment, {
    TESTCONTAINERS_RYUK_DISABLED: 'true',
    // otherwise, inside a container, it would start an image from the network to learn its own address
    TESTCONTAINERS_HOST_OVERRIDE: '127.0.0.1',
  })
  const client = await getContainerRuntimeClient().catch((cause: unknown) => {
    const message = `testcontainers does not reach the engine at ${engine.environment['DOCKER_HOST']}: ${messageOf(cause)}`
    throw new LvslabError('ENGINE_IDENTITY', message, { remedy: 'export DEBUG=testcontainers # says why', cause })
  })
  client.container.dockerode.modem = engine.docker.modem
  // each connection of the other kind proves itself
  if (engine.kind === 'docker') {
    const { ID } = (await client.container.dockerode.info()) as { ID: string }
    if (ID !== engine.id) throw new LvslabError('ENGINE_IDENTITY', `testcontainers talks to the engine ${ID}`)
  }
  await findReaper(client)
}

/**
 * testcontainers looks once in a process for its reaper, which is off, under a lock of all who use it, and leaves the lock's file in
 * the temporary folder: it has one that goes again.
 */
const findReaper = async (client: Awaited<ReturnType<typeof getContainerRuntimeClient>>): Promise<void> => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'lvslab-reaper-'))
  await using _dir = { [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
  await beginIn(dir, () => getReaper(client))
}

/** testcontainers, with what it has no method for: the address in a macvlan network. */
export class NodeContainer extends GenericContainer {
  /** Puts the container into one network, at a fixed address, and into no other. */
  withAddress(network: string, address: string): this {
    this.networkMode = network
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address } } } }
    return this
  }

  /** Puts the container into a further network when it is made, before it starts. */
  withFurtherAddress(connect: (containerId: string) => Promise<void>): this {
    this.#connect.push(connect)
    return this
  }

  readonly #connect: ((containerId: string) => Promise<void>)[] = []

  protected override async containerCreated(containerId: string): Promise<void> {
    for (const connect of this.#connect) await connect(containerId)
  }
}
