import path from 'node:path'
import { host } from '../host-command.ts'

const LIBRARIES = 'usr/lib/x86_64-linux-gnu'

/**
 * Command line of a program from the engine's own tools folder. It runs through the loader and the libraries of that folder,
 * so that nothing on the host, not even its C library, changes what runs.
 */
export const toolCommand = (tools: string, program: string, args: string[]): [string, ...string[]] => [
  path.join(tools, LIBRARIES, 'ld-linux-x86-64.so.2'),
  '--library-path',
  path.join(tools, LIBRARIES),
  path.join(tools, program),
  ...args,
]

/** A program of the tools folder, its loader and all libraries that it loads: files to copy side by side. */
export const toolFiles = async (tools: string, program: string): Promise<string[]> => {
  const [loader, , libraries, file] = toolCommand(tools, program, []) as [string, string, string, string]
  const { stdout } = await host()`${[loader, '--library-path', libraries, '--list', file]}`
  const loaded = stdout.split('\n').flatMap(line => /=> (\S+)/.exec(line)?.[1] ?? [])
  return [...new Set([file, loader, ...loaded])]
}

/** Runs a tool to its end; its standard output is returned, a failure throws with its standard error. */
export const runTool = async (
  tools: string,
  program: string,
  args: string[],
  options: { signal?: AbortSignal | undefined; input?: string } = {},
): Promise<string> => (await host(options)`${toolCommand(tools, program, args)}`).stdout

/** busybox is static: it runs as it is. */
export const busybox = (tools: string): string => path.join(tools, 'usr/bin/busybox')
