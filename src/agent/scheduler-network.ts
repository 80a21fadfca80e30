import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { AGENT_PROGRAM } from './protocol.ts'
import { SCHEDULER_NETWORKS as NETWORKS } from './scheduler-case.ts'
import type { SchedulerRole } from './scheduler-process.ts'

/** A process in a network namespace that exists as long as it does. */
export interface Member extends AsyncDisposable {
  pid: number
  process: ChildProcess
  /** Its next message. @throws Error when it ends before */
  hear<T>(): Promise<T>
}

/** Starts the process of a role, in a new namespace. Disposing it ends both. */
export const start = async (role: SchedulerRole): Promise<Member> => {
  const child = spawn('unshare', ['--net', process.execPath, AGENT_PROGRAM, 'scheduler', role], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const early = ended.then(([code]) => Promise.reject(new Error(`the process of the ${role} ended with code ${code}`)))
  early.catch(() => {}) // it ends in the end, when nobody listens any more
  const hear = async <T>(): Promise<T> => {
    const [message] = (await Promise.race([once(child, 'message'), early])) as [T]
    return message
  }
  await hear()
  return {
    pid: child.pid as number,
    process: child,
    hear,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Runs a command in a member's network namespace. @throws Error with the command's words */
export const run = (member: Member, argv: string[], input: string[] = []): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = execFile('nsenter', ['--target', String(member.pid), '--net', '--', ...argv], (error, _, stderr) =>
      // `ipvsadm -R` goes on after a line that failed, and ends as its last line did
      error || stderr ? reject(new Error(`${argv.join(' ')}: ${stderr.trim() || error?.message}`)) : resolve(),
    )
    child.stdin?.on('error', () => {}) // who ends early says why
    child.stdin?.end(input.map(line => `${line}\n`).join(''))
  })

interface Members {
  director: Member
  clients: Member
  servers: Member
}

/**
 * A director, its clients and its real servers, each joined to the others by a veth: DR, so that answers do not pass the
 * director. Whole networks are local in a namespace, so that any of their addresses can be used.
 */
export const buildNetwork = async ({ director, clients, servers }: Members): Promise<void> => {
  // answers come another way than the questions went; a connection that nobody gets is refused by ICMP, of which the kernel
  // otherwise sends only so many a second; estimators of thousands of destinations would only take time
  const everywhere = ['net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0']
  await run(director, ['sysctl', '-q', ...everywhere, 'net.ipv4.icmp_ratemask=0', 'net.ipv4.vs.run_estimation=0'])
  await run(clients, ['sysctl', '-q', ...everywhere])
  await run(servers, ['sysctl', '-q', ...everywhere])
  await ip(director, [
    'link set lo up',
    `link add clients type veth peer name director netns ${clients.pid}`,
    `link add servers type veth peer name director netns ${servers.pid}`,
    'address add 10.255.0.1/30 dev clients',
    'address add 10.255.1.1/30 dev servers',
    'link set clients up',
    'link set servers up',
    `route add local ${NETWORKS.vip} dev lo`,
    `route add local ${NETWORKS.marked} dev lo`,
    `route add ${NETWORKS.servers} via 10.255.1.2`,
    'route add default via 10.255.0.2',
  ])
  await ip(clients, [
    'link set lo up',
    `link add servers type veth peer name clients netns ${servers.pid}`,
    'address add 10.255.0.2/30 dev director',
    'address add 10.255.2.1/30 dev servers',
    'link set director up',
    'link set servers up',
    `route add local ${NETWORKS.clients} dev lo`,
    'route add default via 10.255.0.1',
  ])
  await ip(servers, [
    'link set lo up',
    'address add 10.255.1.2/30 dev director',
    'address add 10.255.2.2/30 dev clients',
    'link set director up',
    'link set clients up',
    `route add local ${NETWORKS.vip} dev lo`,
    `route add local ${NETWORKS.marked} dev lo`,
    'route add default via 10.255.2.1',
  ])
}

const ip = (member: Member, commands: string[]): Promise<void> => run(member, ['ip', '-batch', '-'], commands)
