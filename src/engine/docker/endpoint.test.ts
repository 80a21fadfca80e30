import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEndpoint } from './endpoint.ts'

describe('the address of a Docker Engine', () => {
  it('is its usual socket where nothing is said', () => {
    const usual = {
      address: 'unix:///var/run/docker.sock',
      connection: { protocol: 'http', socketPath: '/var/run/docker.sock' },
      environment: { DOCKER_HOST: 'unix:///var/run/docker.sock' },
    }
    expect(readEndpoint({})).toEqual(usual)
    expect(readEndpoint({ DOCKER_HOST: '' })).toEqual(usual)
    expect(readEndpoint({ DOCKER_HOST: 'unix://' })).toEqual(usual)
    // TLS says nothing about a socket
    expect(readEndpoint({ DOCKER_HOST: 'unix:///s', DOCKER_TLS_VERIFY: '1' }).connection).toEqual({
      protocol: 'http',
      socketPath: '/s',
    })
  })

  it.each([
    ['tcp://10.1.2.3:2375', 'tcp://10.1.2.3:2375'],
    ['tcp://10.1.2.3', 'tcp://10.1.2.3:2375'],
    ['build-host:80', 'tcp://build-host:80'],
    ['http://127.0.0.1:4000/', 'tcp://127.0.0.1:4000'],
  ])('may be plain TCP: %s', (value, address) => {
    const endpoint = readEndpoint({ DOCKER_HOST: value })
    expect(endpoint).toMatchObject({ address, connection: { protocol: 'http' }, environment: { DOCKER_HOST: address } })
    expect(endpoint.certificates).toBeUndefined()
  })

  it('may be TLS, said in any word', () => {
    expect(
      readEndpoint({ DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: 'true', DOCKER_CERT_PATH: '/certificates' }),
    ).toEqual({
      address: 'tcp://h:2376',
      connection: { protocol: 'https', host: 'h', port: 2376 },
      certificates: '/certificates',
      environment: { DOCKER_HOST: 'tcp://h:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certificates' },
    })
    expect(readEndpoint({ DOCKER_HOST: 'https://h:1' }).certificates).toBe(path.join(os.homedir(), '.docker'))
  })

  it.each(['ssh://me@host', 'npipe:////./pipe/docker_engine', 'tcp://', 'fd://3'])('is refused: %s', value => {
    expect(() => readEndpoint({ DOCKER_HOST: value })).toThrow(
      expect.objectContaining({ code: 'DOCKER_HOST', exitCode: 2, message: expect.stringContaining(value) }),
    )
  })
})
