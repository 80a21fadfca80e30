import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { runTool } from './tools.ts'

/** The guest's clock stands at the moment of its build, however long ago that is: the certificates must not care. */
const VALID = ['-not_before', '20000101000000Z', '-not_after', '20991231235959Z']
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/**
 * Makes the certificates of one engine: `client/` (ca.pem, cert.pem, key.pem, as DOCKER_CERT_PATH wants it) and `server/`.
 * The authority's key is deleted at the end, so nobody can sign another client.
 */
export const makeCertificates = async (tools: string, dir: string): Promise<void> => {
  const openssl = (args: string[]): Promise<string> => runTool(tools, 'usr/bin/openssl', args)
  const [client, server] = [path.join(dir, 'client'), path.join(dir, 'server')]
  await mkdir(client, { recursive: true, mode: 0o700 })
  await mkdir(server, { recursive: true, mode: 0o700 })
  const config = path.join(dir, 'openssl.cnf')
  await writeFile(config, '[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=lvslab\n')
  const caKey = path.join(dir, 'ca-key.pem')
  const ca = path.join(client, 'ca.pem')
  const common = ['req', '-x509', '-config', config, ...NEW_KEY, ...VALID]
  try {
    const authority = ['-subj', '/CN=lvslab engine', '-addext', 'basicConstraints=critical,CA:TRUE']
    await openssl([...common, ...authority, '-keyout', caKey, '-out', ca])
    const sign = (folder: string, prefix: string, usage: string, extra: string[]): Promise<string> => {
      const key = path.join(folder, `${prefix}key.pem`)
      const cert = path.join(folder, `${prefix}cert.pem`)
      const purpose = ['-subj', `/CN=lvslab ${usage}`, '-addext', `extendedKeyUsage=${usage}`, ...extra]
      return openssl([...common, '-CA', ca, '-CAkey', caKey, ...purpose, '-keyout', key, '-out', cert])
    }
    await sign(server, 'server-', 'serverAuth', ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'])
    await sign(client, '', 'clientAuth', [])
  } finally {
    await rm(caKey, { force: true })
    await rm(config, { force: true })
  }
}
