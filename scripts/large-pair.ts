import { randomOf } from '../suites/config-mutations.ts'

export interface LargePair {
  /** Virtual services, each with a VIP of its own; at most 250. */
  services: number
  /** Real servers of each service; at most 250. */
  servers: number
  seed: number
}

/**
 * keepalived.conf of two directors with many services, as a company's shared load balancers have them: DR in one /16, each service
 * with a VIP and real servers of its own; the VIPs in two VRRP instances of a sync group. Schedulers, weights, checks and their
 * intervals differ from service to service.
 *
 * @returns the text for each director
 */
export const largePair = ({ services, servers, seed }: LargePair): { d1: string; d2: string } => {
  const random = randomOf(seed)
  const pick = <T>(...of: [T, ...T[]]): T => of[random(of.length)] as T
  const vips = Array.from({ length: services }, (_, n) => `10.20.0.${n + 1}`)
  const virtualServers = vips.map((vip, service) => {
    const wrr = random(2) === 1
    const loop = pick(10, 15, 20)
    const retry = pick(1, 2)
    const web = random(2) === 1
    const check = web
      ? [
          'HTTP_GET {',
          '    url {',
          `        path ${pick('/', '/health', '/status')}`,
          '        status_code 200',
          '    }',
        ]
      : ['TCP_CHECK {']
    check.push('    connect_timeout 3', `    retry ${retry}`, '    delay_before_retry 2', '}')
    const port = web ? pick(80, 8080) : 80
    return [
      `virtual_server ${vip} ${port} {`,
      `    delay_loop ${loop}`,
      `    lb_algo ${wrr ? 'wrr' : 'rr'}`,
      '    lb_kind DR',
      '    protocol TCP',
      ...Array.from({ length: servers }, (_, n) => [
        `    real_server 10.20.${service + 1}.${n + 1} ${port} {`,
        `        weight ${wrr ? pick(1, 1, 2, 3) : 1}`,
        ...check.map(line => `        ${line}`),
        '    }',
      ]).flat(),
      '}',
    ]
  })
  const half = Math.ceil(services / 2)
  const instances = [vips.slice(0, half), vips.slice(half)].filter(some => some.length > 0)
  const director = (name: string, priority: number): string =>
    [
      'global_defs {',
      `    router_id ${name}`,
      '}',
      'vrrp_sync_group ALL {',
      '    group {',
      ...instances.map((_, n) => `        VI_${n + 1}`),
      '    }',
      '}',
      ...instances.flatMap((some, n) => [
        `vrrp_instance VI_${n + 1} {`,
        '    state BACKUP',
        '    interface eth0',
        `    virtual_router_id ${51 + n}`,
        `    priority ${priority}`,
        '    advert_int 1',
        '    virtual_ipaddress {',
        ...some.map(vip => `        ${vip}/16`),
        '    }',
        '}',
      ]),
      ...virtualServers.flat(),
      '',
    ].join('\n')
  return { d1: director('d1', 150), d2: director('d2', 100) }
}
