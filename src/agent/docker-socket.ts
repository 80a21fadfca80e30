import { request } from 'node:http'
import { wakeDocker } from './docker-rest.ts'

/**
 * The engine's own Docker API, by way of its first process's root: the agent shares the engine's process namespace, and the
 * socket needs no mount. Not by /var/run, a link that would lead into the agent's own root.
 */
const SOCKET = '/proc/1/root/run/docker.sock'

/**
 * One request to the Docker API; returns the answer's JSON.
 *
 * @param timeoutMs ms, for one that waits for something
 * @throws Error with Docker's words
 */
export const docker = (method: 'GET' | 'POST', path: string, timeoutMs = 60_000): Promise<unknown> =>
  new Promise((resolve, reject) => {
    wakeDocker()
    const signal = AbortSignal.timeout(timeoutMs)
    const sent = request({ socketPath: SOCKET, method, path, signal, headers: { host: 'docker' } }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject).on('end', () => {
        const { statusCode = 500 } = response
        if (statusCode < 400) resolve(body === '' ? undefined : JSON.parse(body))
        else reject(new Error(`${method} ${path} of the Docker API: ${statusCode} ${body.trim()}`))
      })
    })
    sent
      .on('error', error => reject(new Error(`${method} ${path} of the Docker API at ${SOCKET}: ${error.message}`)))
      .end()
  })
