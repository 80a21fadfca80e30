import { configId } from '../config/keepalived/load.ts'

/** A node is called like a host: in letters, digits and hyphens. */
export const nodeName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 32)
    .replace(/^-+|-+$/g, '') || 'd1'

/** A director, by the name of its host. */
export interface HostName {
  node: string
  /** What its keepalived looks for at home, and why it does not in the lab. */
  lost?: { id: string; why: string }
}

/**
 * What the nodes of hosts are called, so that keepalived finds the lines of its own in the lab as it does at home; where hosts are
 * called alike up to the first dot, by their whole names.
 */
export const hostNames = (hosts: string[]): ((host: string) => HostName) => {
  const all = [...new Set(hosts)]
  return host => {
    const id = configId(host)
    const node = nodeName(id)
    if (all.some(other => other !== host && nodeName(configId(other)) === node))
      return { node: nodeName(host), lost: { id, why: 'two directors have that name' } }
    return node === id ? { node } : { node, lost: { id, why: 'no node can have that name' } }
  }
}
