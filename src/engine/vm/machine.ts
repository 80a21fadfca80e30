import type { EngineBuild } from './build.ts'
import { toolCommand } from './tools.ts'

/** `real`: the guest's clock runs with the host's. `virtual`: it follows executed instructions and leaps over idle time. */
export type Clock = 'real' | 'virtual'
export type Accelerator = 'kvm' | 'tcg'

/** What a saved machine depends on; part of every template's key. */
export interface MachineSpec {
  accelerator: Accelerator
  clock: Clock
  memoryMib: number
  cpus: number
}

export const machineSpec = (accelerator: Accelerator, clock: Clock): MachineSpec => ({
  accelerator,
  clock,
  memoryMib: 2048,
  // instruction counting is exact on one processor only
  cpus: clock === 'virtual' ? 1 : 2,
})

/** Names inside the instance folder, which is the working directory of QEMU and passt. */
export const INSTANCE_FILES = {
  disk: 'disk.qcow2',
  memory: 'memory',
  state: 'state',
  qmp: 'qmp.sock',
  network: 'network.sock',
  serial: 'serial.log',
} as const

const isRoot = process.getuid?.() === 0

/**
 * As root, QEMU gives its rights up itself when its files are open, for which set*uid must be allowed: it cannot take any
 * back afterwards, since `no-new-privs` holds and spawning is denied. (`elevateprivileges=children` kills it on the way.)
 */
const SANDBOX = `on,obsolete=deny,${isRoot ? '' : 'elevateprivileges=deny,'}spawn=deny,resourcecontrol=deny`

/** `-icount shift=1`: 2 ns of lab time for each instruction; `sleep=off`: idle time passes at once. */
const accelerate = (spec: MachineSpec): string[] => {
  if (spec.accelerator === 'kvm') return ['-accel', 'kvm', '-cpu', 'host']
  // never `-cpu max` under software emulation: it has corrupted guests
  if (spec.clock === 'real') return ['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'Nehalem']
  return ['-accel', 'tcg,thread=single,tb-size=512', '-icount', 'shift=1,sleep=off', '-cpu', 'Nehalem']
}

/**
 * QEMU's command line. It must be the same, device by device, for a machine that is saved and for one that goes on from it.
 *
 * @param memory file that backs the guest's memory; `private` maps it copy-on-write
 * @param incoming true to wait for a saved state
 */
export const qemuCommand = (
  build: EngineBuild,
  spec: MachineSpec,
  options: { memory: { file: string; private: boolean }; incoming: boolean },
): string[] => [
  ...['setpriv', '--no-new-privs', ...toolCommand(build.tools, 'usr/bin/qemu-system-x86_64', [])],
  ...['-L', `${build.tools}/usr/share/qemu`, '-L', `${build.tools}/usr/share/seabios`],
  ...['-nodefaults', '-display', 'none', '-no-reboot', '-sandbox', SANDBOX],
  // files are opened by then; what is opened later comes as a file descriptor
  ...(isRoot ? ['-run-with', 'user=nobody'] : []),
  ...accelerate(spec),
  ...['-smp', String(spec.cpus), '-m', `${spec.memoryMib}M`, '-M', 'q35,memory-backend=memory'],
  ...[
    '-object',
    `memory-backend-file,id=memory,size=${spec.memoryMib}M,mem-path=${options.memory.file},${
      // the file is another's: opened for reading, and what the guest writes is its own
      options.memory.private ? 'share=off,readonly=on,rom=off' : 'share=on'
    }`,
  ],
  ...['-kernel', build.kernel, '-initrd', build.initramfs, '-append', KERNEL_ARGUMENTS],
  // auto-read-only would open the file again when the machine is saved, without the right to
  ...[
    '-drive',
    `if=none,id=root,file=${INSTANCE_FILES.disk},format=qcow2,cache=unsafe,discard=unmap,auto-read-only=off`,
  ],
  ...['-device', 'virtio-blk-pci,drive=root'],
  ...['-netdev', `stream,id=net,server=off,addr.type=unix,addr.path=${INSTANCE_FILES.network}`],
  ...['-device', 'virtio-net-pci,netdev=net,romfile='],
  ...['-chardev', `file,id=serial,path=${INSTANCE_FILES.serial}`, '-serial', 'chardev:serial'],
  ...['-qmp', `unix:${INSTANCE_FILES.qmp},server=on,wait=off`],
  ...['-add-fd', 'fd=3,set=1', '-add-fd', 'fd=4,set=2'],
  ...(options.incoming ? ['-incoming', 'defer'] : []),
]

/** Where the state goes when a machine is saved, and where it comes from: descriptors 3 and 4, see {@link qemuCommand}. */
export const STATE_OUT = 'file:/dev/fdset/1'
export const STATE_IN = 'file:/dev/fdset/2'

const KERNEL_ARGUMENTS = 'console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off audit=0 random.trust_cpu=on'

/** passt's command line: one port of the host's loopback leads to the guest's Docker API, and nothing leads anywhere else. */
export const passtCommand = (build: EngineBuild, port: number): string[] => [
  ...toolCommand(build.tools, 'usr/bin/passt', ['--foreground', '--one-off', '--socket', INSTANCE_FILES.network]),
  ...['--tcp-ports', `127.0.0.1/${port}:2376`, '--ipv4-only', '--no-udp', '--no-icmp'],
  // without lo as the way out, the guest would reach the network, and services of this host
  ...['--outbound-if4', 'lo', '--no-map-gw'],
  ...['--address', '10.0.2.15', '--netmask', '24', '--gateway', '10.0.2.2'],
  ...['--no-dhcp', '--no-ra', '--no-ndp', '--no-dhcpv6'],
]
