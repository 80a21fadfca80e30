import os from 'node:os'
import path from 'node:path'
import { LvslabError } from '../../errors.ts'

/** Where a Docker Engine listens, as DOCKER_HOST says it. */
export interface Endpoint {
  /** For people: `unix:///var/run/docker.sock`, `tcp://10.1.2.3:2376`. */
  address: string
  /** How dockerode connects to it; `protocol` is always said, as it would guess it from the port. */
  connection: { protocol: 'http'; socketPath: string } | { protocol: 'http' | 'https'; host: string; port: number }
  /** Folder with ca.pem, cert.pem and key.pem, where the connection is under TLS. */
  certificates?: string
  /** The same for whatever else reads the environment, in the one spelling that all of them take. */
  environment: Record<string, string>
}

const DEFAULT = 'unix:///var/run/docker.sock'

/**
 * Reads DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH as the `docker` command does: TLS where DOCKER_TLS_VERIFY has any
 * text at all, certificates in `~/.docker` unless said otherwise.
 *
 * @throws LvslabError DOCKER_HOST, exit code 2, for an address that lvslab cannot use
 */
export const readEndpoint = (env: NodeJS.ProcessEnv): Endpoint => {
  const value = env['DOCKER_HOST'] || DEFAULT
  const refuse = (why: string, remedy: string): LvslabError =>
    new LvslabError('DOCKER_HOST', `DOCKER_HOST=${value}: ${why}`, { remedy, exitCode: 2 })
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(value) ?? []
  if (scheme === 'unix') {
    const socketPath = rest || DEFAULT.slice('unix://'.length)
    const address = `unix://${socketPath}`
    return { address, connection: { protocol: 'http', socketPath }, environment: { DOCKER_HOST: address } }
  }
  if (scheme === 'ssh') {
    throw refuse(
      'lvslab does not reach Docker over ssh',
      `ssh -fN -L /tmp/docker.sock:/var/run/docker.sock ${rest} && export DOCKER_HOST=unix:///tmp/docker.sock`,
    )
  }
  const url = ['tcp', 'http', 'https'].includes(scheme) ? URL.parse(`http://${rest}`) : null
  if (!url || !url.hostname) {
    throw refuse('not an address of a Docker Engine', `export DOCKER_HOST=${DEFAULT}\n# or: tcp://HOST:2376`)
  }
  const tls = scheme === 'https' || Boolean(env['DOCKER_TLS_VERIFY'])
  const host = url.hostname
  // an explicit :80 is the default port of http, and URL leaves it out
  const port = Number(/:(\d+)\/?$/.exec(rest)?.[1] ?? (tls ? 2376 : 2375))
  const address = `tcp://${host}:${port}`
  if (!tls) return { address, connection: { protocol: 'http', host, port }, environment: { DOCKER_HOST: address } }
  const certificates = path.resolve(env['DOCKER_CERT_PATH'] || path.join(os.homedir(), '.docker'))
  return {
    address,
    connection: { protocol: 'https', host, port },
    certificates,
    environment: { DOCKER_HOST: address, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates },
  }
}
