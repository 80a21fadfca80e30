import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { request } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { cacheDir } from '../src/engine/cache.ts'
import { verifiedDocker } from '../src/engine/docker-client.ts'
import { silent } from '../src/engine/progress.ts'
import { packedFile } from '../src/engine/vm/packed.ts'
import { forkEngine, type VmEngine } from '../src/engine/vm/vm-engine.ts'
import type { Lab } from '../src/lab/lab.ts'
import { prepareEngine } from '../src/lab/vm-labs.ts'
import { labTest } from '../src/suite/lab-test.ts'

const test = labTest('topologies/keepalived-dr')

const endpointOf = (lab: Lab) => {
  const { DOCKER_HOST = '', DOCKER_CERT_PATH = '' } = lab.engine.environment
  return { host: '127.0.0.1', port: Number(new URL(DOCKER_HOST).port), certificates: DOCKER_CERT_PATH }
}

/** Runs a script in the container of the agent, which may do all that a privileged one may; returns its exit code. */
const runBesideAgent = (lab: Lab, script: string): Promise<number | null> =>
  lab.engine.awake(async () => {
    const container = lab.engine.docker.getContainer('lvslab-keepalived-dr-agent')
    const exec = await container.exec({ Cmd: ['bash', '-c', script], AttachStdout: true, Tty: true })
    const stream = await exec.start({ Tty: true })
    await once(stream.resume(), 'end')
    return (await exec.inspect()).ExitCode
  })

describe('the engine', () => {
  test('lets a privileged container reach neither the host nor anything beyond, whatever route it adds', async ({
    lab,
  }) => {
    let reached = 0
    await using server = createServer(socket => {
      reached++
      socket.destroy()
    }).listen(0, '0.0.0.0')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const own = Object.values(os.networkInterfaces()).flatMap(list => list ?? [])
    const hosts = own.filter(i => i.family === 'IPv4').map(i => i.address)
    const run = (script: string) => runBesideAgent(lab, script)
    expect(await run('ip route replace default via 10.0.2.2 dev eth0')).toBe(0)
    // 10.0.2.2 is the peer on the link; 192.0.2.1 stands for anything beyond (RFC 5737)
    for (const target of ['10.0.2.2', ...hosts, '192.0.2.1']) {
      if (target === '127.0.0.1') continue // is the guest itself
      expect(await run(`timeout 3 bash -c 'exec 3<>/dev/tcp/${target}/${port}'`), target).not.toBe(0)
    }
    expect(reached).toBe(0)
  })

  test('rests until somebody connects to it', async ({ lab }) => {
    const events = '/mnt/events/sched/sched_switch'
    const sh = async (script: string): Promise<string> => {
      const { code, stdout, stderr } = await lab.exec('d1', ['sh', '-c', script])
      expect(code, stderr).toBe(0)
      return stdout
    }
    await sh(`mount -t tracefs none /mnt && echo hist:keys=next_comm >${events}/trigger`)
    await lab.sleep(20_000)
    const ran = await sh(`cat ${events}/hist`)
    expect(ran).toContain('keepalived')
    expect(ran).not.toMatch(/dockerd|containerd/)
    await lab.engine.awake(() => lab.engine.docker.ping())
    expect(await sh(`cat ${events}/hist`)).toMatch(/dockerd/)
  })

  test('at rest, keeps nobody waiting who writes to the output of a node', async ({ lab }) => {
    const { code } = await lab.exec('rs1', [
      'timeout',
      '10',
      'dd',
      'if=/dev/zero',
      'bs=1k',
      'count=200',
      'of=/proc/1/fd/1',
    ])
    expect(code).toBe(0)
  })

  test('refuses whoever has no certificate of its own making', async ({ lab }) => {
    const { port } = endpointOf(lab)
    const attempt = new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/_ping', rejectUnauthorized: false }, resolve).on('error', reject).end()
    })
    await expect(lab.engine.awake(() => attempt)).rejects.toThrow(
      /certificate required|alert|ECONNRESET|socket hang up/i,
    )
  })

  test('notices that a connection ends at another engine', async ({ lab, prepared }) => {
    await using other = await prepared.source.open('other', {})
    const { docker, close } = await verifiedDocker(endpointOf(lab), async () => other.engine.id)
    await expect(lab.engine.awake(() => docker.ping())).rejects.toThrow(/another engine answers/)
    close()
  })

  test('keeps its keys and its sockets to its owner', async ({ lab }) => {
    const { instance, build } = lab.engine as VmEngine
    for (const dir of [instance.dir, build.clientCertificates, path.dirname(instance.dir)]) {
      expect((await stat(dir)).mode & 0o077, dir).toBe(0)
    }
    const tls = await readdir(path.dirname(build.clientCertificates), { recursive: true })
    expect(tls.filter(name => name.includes('ca-key'))).toEqual([])
  })

  test('asks for a processor of its own where its threads take turns: on the virtual clock', async ({ lab }) => {
    const { instance, spec } = lab.engine as VmEngine
    const guard = await readFile(path.join(instance.dir, 'guard'), 'utf8')
    expect(guard.includes('taskset --cpu-list')).toBe(spec.clock === 'virtual')
  })

  test('has no HPET, which would go on ticking when nobody listens', async ({ lab }) => {
    const { stdout } = await lab.exec('d1', [
      'cat',
      '/sys/devices/system/clocksource/clocksource0/available_clocksource',
    ])
    expect(stdout.trim().split(' ')).toContain('tsc')
    expect(stdout).not.toContain('hpet')
  })

  test('starts no second dockerd for each container', async ({ lab }) => {
    const states = '/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby'
    const hooks = (path: string) => `nsenter --target 1 --mount sh -c 'grep -lE "${path}" ${states}/*/config.json'`
    expect(await runBesideAgent(lab, hooks('/run/lvslab/setkey'))).toBe(0)
    expect(await runBesideAgent(lab, hooks('/proc/[0-9]+/exe'))).toBe(1)
  })

  test('says that its agent has ended, to whoever waits for an answer', async ({ lab }) => {
    const answer = lab.sleep(600_000).then(
      () => 'slept',
      (error: unknown) => (error as Error).message,
    )
    expect(await runBesideAgent(lab, "pkill -KILL -f 'agent.cjs /dev/'")).toBe(0)
    expect(await answer).toMatch(/^sleep: the agent has ended with code 137/)
  })

  test('goes on from a memory that is there packed alone, and leaves it for the next', async ({ lab }) => {
    const { build, spec } = lab.engine as VmEngine
    const { images } = await prepareEngine({ clock: spec.clock, steps: silent })
    const dir = await mkdtemp(cacheDir('.try-'))
    try {
      const memory = path.join(dir, 'memory')
      await link(packedFile(images.memory), packedFile(memory))
      const fork = () => forkEngine(build, spec, { ...images, memory }, 'private')
      await using one = await fork() // its Docker Engine has answered
      const { ino, mode, blocks, size } = await stat(memory)
      expect(mode & 0o777).toBe(0o400)
      expect(blocks * 512).toBeLessThan(size / 2) // its holes are holes
      await using two = await fork()
      expect(two.id).not.toBe(one.id)
      expect((await stat(memory)).ino).toBe(ino)
      expect(await readdir(one.instance.dir)).not.toContain('unpacked')
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  test('is gone when whoever started it was killed', async ({ lab }) => {
    expect(lab.name).toContain('killed')
    const child = spawn(process.execPath, [path.resolve('suites/fixtures/hold-a-lab.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const dir = line.toString().trim()
    const pids = (await readFile(path.join(dir, 'pids'), 'utf8')).trim().split(' ').map(Number)
    child.kill('SIGKILL')
    const alive = (): number[] =>
      pids.filter(pid => {
        try {
          return process.kill(pid, 0)
        } catch {
          return false
        }
      })
    for (let i = 0; i < 100 && (alive().length > 0 || (await stat(dir).catch(() => undefined))); i++) await sleep(50)
    expect(alive()).toEqual([])
    await expect(stat(dir)).rejects.toThrow('ENOENT')
  })
})
