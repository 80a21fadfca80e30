import { describe, expect, inject, test } from 'vitest'
import { silent } from '../src/engine/progress.ts'
import { forkEngine } from '../src/engine/vm/vm-engine.ts'
import { prepareEngine } from '../src/lab/vm-labs.ts'
import type { RunReport } from '../src/report/run.ts'
import { lvslab, startLvslab, temporaryDir } from './command-line.ts'

const VERIFY = ['verify', 'topologies/keepalived-dr', '--engine', 'docker', '--json']

describe('the engine that DOCKER_HOST names', () => {
  // the Docker Engine of an embedded engine, reached as any other one is
  test('verifies a topology, and is left as it was', { timeout: 240_000 }, async ({ signal }) => {
    const { build, spec, images } = await prepareEngine({ clock: inject('clock'), steps: silent, signal })
    await using engine = await forkEngine(build, spec, images, 'private', { signal })
    // its clock must run all the while: that run knows nothing of this one
    await engine.awake(async () => {
      // an engine within an engine is slow; one scenario of a kind tells enough
      const args = [...VERIFY, '--skip', 'failover-link,reload,backup', '--reports', await temporaryDir()]
      const verify = startLvslab(args, engine.environment)
      signal.addEventListener('abort', () => verify.kill('SIGINT'), { once: true })
      const { code, stdout, stderr } = await verify.finished
      expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringMatching(/^\{/) })
      const report = JSON.parse(stdout) as RunReport
      expect(report.results.filter(result => result.outcome !== 'PASS')).toEqual([])
      expect(report.results.length).toBeGreaterThan(10)
      expect(code).toBe(0)
      expect(report.engine).toMatchObject({ engine: 'docker', clock: 'real', keepalived: expect.any(String) })
      expect(await engine.docker.listContainers({ all: true })).toEqual([])
      const networks = (await engine.docker.listNetworks()).map(network => network.Name)
      expect(networks.filter(name => name.startsWith('lvslab'))).toEqual([])
    })
  })

  test('is refused, with the remedy, where nobody answers', async () => {
    const result = await lvslab(VERIFY, { DOCKER_HOST: 'tcp://127.0.0.1:1', DOCKER_TLS_VERIFY: '' })
    expect(result).toMatchObject({ code: 3, stderr: expect.stringContaining('[DOCKER_UNREACHABLE]') })
    expect(result.stderr).toContain('no Docker Engine answers at tcp://127.0.0.1:1')
    expect(result.stderr).toContain('remedy: # check DOCKER_HOST')
  })
})
