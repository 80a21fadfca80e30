import type { DirectorConfig, HealthCheck, RealServer, VirtualService, VrrpInstance, VrrpScript } from './types.ts'

/** Hand-made configurations for unit tests; keepalived's defaults, and whatever a test changes. */

const at = { file: 'keepalived.conf', line: 1, column: 1 }

export const anInstance = (changes: Partial<VrrpInstance> = {}): VrrpInstance => ({
  name: 'VI_1',
  state: 'BACKUP',
  interface: 'eth0',
  virtualRouterId: 51,
  priority: 100,
  advertInterval: 1000,
  version: 2,
  preempt: true,
  preemptDelay: 0,
  downTimerAdverts: 3,
  strict: false,
  multicastGroup: '224.0.0.18',
  unicastPeers: [],
  addresses: [{ address: '10.0.0.100', prefix: 24, device: 'eth0', at }],
  excludedAddresses: [],
  trackScripts: [],
  trackInterfaces: [],
  trackPrimary: true,
  at,
  ...changes,
})

export const aScript = (changes: Partial<VrrpScript> = {}): VrrpScript => ({
  name: 'chk',
  command: '/bin/true',
  interval: 1000,
  timeout: 1000,
  rise: 1,
  fall: 1,
  at,
  ...changes,
})

export const aCheck = (changes: Partial<HealthCheck> = {}): HealthCheck => ({
  type: 'TCP_CHECK',
  keyword: changes.type ?? 'TCP_CHECK',
  connectTimeout: 5000,
  retry: 1,
  delayBeforeRetry: 1000,
  delayLoop: 60_000,
  warmup: 60_000,
  alpha: false,
  urls: [],
  fastRecovery: false,
  at,
  ...changes,
})

export const aServer = (address: string, changes: Partial<RealServer> = {}): RealServer => ({
  address,
  port: 80,
  weight: 1,
  forwarding: 'DR',
  inhibitOnFailure: false,
  checks: [aCheck({ delayLoop: 2000 })],
  at,
  ...changes,
})

export const aService = (changes: Partial<VirtualService> = {}): VirtualService => ({
  name: '10.0.0.100:80/TCP',
  address: '10.0.0.100',
  port: 80,
  protocol: 'TCP',
  scheduler: 'rr',
  forwarding: 'DR',
  quorum: 1,
  hysteresis: 0,
  alpha: false,
  realServers: [aServer('10.0.0.11'), aServer('10.0.0.12')],
  at,
  ...changes,
})

export const aDirector = (node: string, ...instances: VrrpInstance[]): DirectorConfig => ({
  node,
  instances,
  services: [],
  startupDelay: 0,
  files: [],
  notices: [],
})
