import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { controlOf, debFile } from './debs.ts'
import type { LockedPackage } from './packages.ts'

/** An apt repository on the loopback that holds exactly the locked packages of one set. */
export interface Repository extends AsyncDisposable {
  /** Line for apt's sources. */
  source: string
}

/**
 * Serves locked packages to apt. HTTP rather than `file:`: under user namespaces apt runs as a user who cannot look into
 * this user's home. `trusted=yes` stands in for no signature: every file was checked against the lock's SHA-256, and what is
 * served is the lock and nothing else.
 */
export const serveRepository = async (packages: LockedPackage[]): Promise<Repository> => {
  const byName = new Map(packages.map(p => [`/${p.sha256}.deb`, p]))
  const stanzas = await Promise.all(
    packages.map(
      async p => `${await controlOf(p)}\nFilename: ./${p.sha256}.deb\nSize: ${p.size}\nSHA256: ${p.sha256}\n`,
    ),
  )
  const index = `${stanzas.join('\n')}\n`
  const server = createServer((request, response) => {
    const url = (request.url ?? '').replace(/^\/\.\//, '/')
    const file = byName.get(url)
    if (url === '/Packages') response.end(index)
    else if (file) createReadStream(debFile(file)).pipe(response.setHeader('content-length', file.size))
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    source: `deb [trusted=yes] http://127.0.0.1:${port}/ ./`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
