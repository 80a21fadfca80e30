import type { Duplex } from 'node:stream'
import type { Engine } from '../engine/engine.ts'

/** Runs a command in a container with this process's standard streams; returns its exit code. */
export const execInContainer = async (
  engine: Engine,
  container: string,
  argv: string[],
  tty: boolean,
): Promise<number> => {
  const exec = await engine.docker.getContainer(container).exec({
    Cmd: argv,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: tty,
    ...(tty ? { Env: [`TERM=${process.env['TERM'] ?? 'xterm'}`] } : {}),
  })
  const stream: Duplex = await exec.start({ hijack: true, stdin: true, Tty: tty })
  const { stdin, stdout, stderr } = process
  const resize = (): void => void exec.resize({ h: stdout.rows, w: stdout.columns }).catch(() => {})
  if (tty) {
    stdin.setRawMode(true)
    resize()
    stdout.on('resize', resize)
    stream.pipe(stdout)
  } else engine.docker.modem.demuxStream(stream, stdout, stderr)
  stdin.pipe(stream)
  try {
    await new Promise<void>((resolve, reject) => stream.on('end', resolve).on('close', resolve).on('error', reject))
    return (await exec.inspect()).ExitCode ?? 0
  } finally {
    stdin.unpipe(stream)
    stdin.pause()
    if (tty) {
      stdin.setRawMode(false)
      stdout.off('resize', resize)
    }
    stream.destroy()
  }
}
