import type { DirectorConfig, VirtualService } from '../model/types.ts'
import { boundOf, servers, vipsOf } from './links.ts'
import { type Serves, webAlone } from './stubs.ts'

/** Another host that services send connections to. */
export interface Backend {
  address: string
  serves: Serves[]
  /** Services that it is the sorry server of. */
  sorry: VirtualService[]
  methods: string[]
  vips: string[]
}

/** Real servers and sorry servers, by address; the services of all directors are taken together. */
export const backendsOf = (configs: DirectorConfig[]): Backend[] => {
  const own = new Set(
    configs.flatMap(config => [...config.instances.map(one => one.sourceAddress), ...boundOf(config, configs)]),
  )
  const all = servers(configs).filter(address => !own.has(address))
  const found = new Map(all.map(address => [address, { serves: [] as Serves[], sorry: [] as VirtualService[] }]))
  for (const service of servicesOf(configs)) {
    for (const server of service.realServers) found.get(server.address)?.serves.push({ service, server })
    if (service.sorryServer) found.get(service.sorryServer.address)?.sorry.push(service)
  }
  const held = configs.flatMap(config => config.instances.flatMap(vipsOf)).map(vip => vip.address)
  return [...found].map(([address, { serves, sorry }]) => {
    const services = [...serves.map(({ service }) => service), ...sorry]
    const marked = services.some(service => service.fwmark !== undefined)
    const vips = marked ? held : services.flatMap(service => service.address ?? [])
    const methods = [...serves.map(({ server }) => server.forwarding), ...sorry.map(service => service.forwarding)]
    return { address, serves, sorry, methods: [...new Set(methods)], vips: [...new Set(vips)] }
  })
}

/** The services of all directors, each once: a pair has the same ones. */
const servicesOf = (configs: DirectorConfig[]): VirtualService[] => {
  const services = new Map<string, VirtualService>()
  for (const service of configs.flatMap(config => config.services))
    if (!services.has(service.name)) services.set(service.name, service)
  return [...services.values()]
}

/** Whether a real server may share a node with others: what answers its checks is nothing but httpd. */
export const sharesNodes = ({ serves, sorry }: Backend): boolean => sorry.length === 0 && webAlone(serves)

/** More real servers than this share nodes: under software emulation each node takes about a second to start. */
export const FARM_ABOVE = 16

/**
 * Real servers that share nodes: farms. No two of one service are on the same farm, so that an answer tells who gave it by the
 * address that was asked, the VIP too, and what breaks a farm takes one server of each service at most.
 *
 * @param kindOf what must be the same for all of a farm; undefined for one that stays by itself
 */
export const farmsOf = (all: Backend[], kindOf: (backend: Backend) => string | undefined): Backend[][] => {
  const farms: { kind: string; services: Set<VirtualService>; backends: Backend[] }[] = []
  for (const backend of all) {
    const kind = kindOf(backend)
    if (kind === undefined) continue
    const services = backend.serves.map(({ service }) => service)
    let farm = farms.find(one => one.kind === kind && services.every(service => !one.services.has(service)))
    if (!farm) farms.push((farm = { kind, services: new Set(), backends: [] }))
    farm.backends.push(backend)
    for (const service of services) farm.services.add(service)
  }
  // what nobody shares is no farm
  return farms.map(farm => farm.backends).filter(backends => backends.length > 1)
}
