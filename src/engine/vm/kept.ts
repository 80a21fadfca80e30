import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { cacheDir } from '../cache.ts'
import { verifiedDocker } from '../docker-client.ts'
import type { Engine } from '../engine.ts'
import { stopKept } from './instance.ts'
import type { VmEngine } from './vm-engine.ts'

/** What the instance folder of a kept engine says of itself, for whoever comes next. */
export interface KeptRecord {
  /** Name of the lab in it. */
  lab: string
  /** Folder of its topology, absolute. */
  topology: string
  id: string
  port: number
  certificates: string
  clock: Engine['clock']
  facts: Record<string, string>
}

const RECORD = 'lab.json'

/** Leaves an engine running when this process ends, under a record by which it is found again. */
export const keepEngine = async (engine: VmEngine, lab: string, topology: string): Promise<string> => {
  const { instance, id, build, clock, facts } = engine
  const record: KeptRecord = {
    lab,
    topology,
    id,
    port: instance.port,
    certificates: build.clientCertificates,
    clock,
    facts,
  }
  await writeFile(path.join(instance.dir, RECORD), JSON.stringify(record, null, 1))
  engine.disconnect()
  instance.monitor[Symbol.dispose]()
  instance.release()
  return instance.dir
}

/** A kept engine that is running, by its folder. */
export interface KeptEngine {
  dir: string
  record: KeptRecord
}

/** Every kept engine whose guard is alive. */
export const keptEngines = async (): Promise<KeptEngine[]> => {
  const found: KeptEngine[] = []
  for (const id of await readdir(cacheDir('run')).catch(() => [])) {
    const dir = cacheDir('run', id)
    const record = await readFile(path.join(dir, RECORD), 'utf8').catch(() => undefined)
    const pid = await readFile(path.join(dir, 'guard.pid'), 'utf8').catch(() => '0')
    if (record !== undefined && alive(Number(pid))) found.push({ dir, record: JSON.parse(record) as KeptRecord })
  }
  return found
}

const alive = (pid: number): boolean => {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Connects to a kept engine; disposing disconnects, the engine goes on. */
export const openKept = async ({ record }: KeptEngine): Promise<Engine> => {
  const endpoint = { host: '127.0.0.1', port: record.port, certificates: record.certificates }
  const { docker, close } = await verifiedDocker(endpoint, async () => record.id)
  await docker.ping()
  return {
    kind: 'vm',
    id: record.id,
    clock: record.clock,
    docker,
    environment: {
      DOCKER_HOST: `tcp://127.0.0.1:${record.port}`,
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: record.certificates,
    },
    facts: record.facts,
    awake: run => run(),
    ended: new Promise(() => {}),
    [Symbol.asyncDispose]: async () => close(),
  }
}

/** Ends a kept engine and removes its folder. */
export const endKept = ({ dir }: KeptEngine): Promise<void> => stopKept(dir)
