import type { RealServer, VirtualService } from '../model/types.ts'
import { Refusal } from './ipvsadm-line.ts'
import type { PlacedWord } from './words.ts'

/** What a line says of its service. */
export type Target = Pick<VirtualService, 'name' | 'address' | 'port' | 'fwmark' | 'family' | 'protocol'>

/** The kernel's table while the lines are run. */
export class Table {
  readonly #services = new Map<string, { service: VirtualService; servers: Map<string, RealServer> }>()

  services(): VirtualService[] {
    return [...this.#services.values()].map(({ service, servers }) => {
      const realServers = [...servers.values()]
      return { ...service, forwarding: realServers[0]?.forwarding ?? service.forwarding, realServers }
    })
  }

  clear(): void {
    this.#services.clear()
  }

  put(service: VirtualService, isEdit: boolean, command: PlacedWord): void {
    const known = this.#services.get(keyOf(service))
    if (isEdit !== (known !== undefined))
      throw new Refusal(`${service.name} is ${isEdit ? 'not' : 'already'} there`, command)
    this.#services.set(keyOf(service), { service, servers: known?.servers ?? new Map<string, RealServer>() })
  }

  delete(target: Target, command: PlacedWord): void {
    if (!this.#services.delete(keyOf(target))) throw new Refusal(`${target.name} is not there`, command)
  }

  server(name: string, target: Target, command: PlacedWord, server: RealServer): void {
    const servers = this.#services.get(keyOf(target))?.servers
    if (!servers) throw new Refusal(`${target.name} is not there`, command)
    const key = `${server.address} ${server.port}`
    if ((name === 'add-server') === servers.has(key))
      throw new Refusal(
        `${server.address}:${server.port} is ${name === 'add-server' ? 'already' : 'not'} there`,
        command,
      )
    if (name === 'delete-server') servers.delete(key)
    else servers.set(key, server)
  }
}

const keyOf = ({ name, family }: Target): string => `${name} ${family ?? ''}`
