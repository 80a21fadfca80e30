import { spawn } from 'node:child_process'
import type Docker from 'dockerode'
import { LvslabError, messageOf } from '../../errors.ts'

/** What Docker says of a long step: one JSON value a line, the last of which may be an error. */
interface ProgressLine {
  error?: string
}

/**
 * Follows a long step of a Docker Engine to its end. Docker answers 200 before it begins, so the outcome stands in what it says.
 *
 * @throws Error in Docker's words
 */
export const untilDone = (docker: Docker, stream: NodeJS.ReadableStream): Promise<void> =>
  new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, lines: ProgressLine[]) => {
      const failed = lines.find(line => line.error !== undefined)?.error
      if (error) reject(error)
      else if (failed === undefined) resolve()
      else reject(new Error(failed.trim()))
    })
  })

/**
 * Builds an image from a folder with a Dockerfile.
 *
 * @param name with its tag
 * @throws LvslabError IMAGE_BUILD with Docker's words
 */
export const buildImage = async (
  docker: Docker,
  dir: string,
  name: string,
  args: Record<string, string>,
  signal?: AbortSignal,
): Promise<void> => {
  const tar = spawn('tar', ['-C', dir, '-c', '.'], { stdio: ['ignore', 'pipe', 'ignore'] })
  tar.once('error', error => tar.stdout.destroy(error))
  try {
    const options = { t: name, buildargs: args, forcerm: true, ...(signal ? { abortSignal: signal } : {}) }
    await untilDone(docker, await docker.buildImage(tar.stdout, options))
  } catch (cause) {
    signal?.throwIfAborted()
    throw new LvslabError('IMAGE_BUILD', `cannot build the image ${name}: ${messageOf(cause)}`, { cause })
  } finally {
    tar.kill()
  }
}
