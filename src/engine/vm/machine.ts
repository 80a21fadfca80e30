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

/** Size of the guest's disk, and of its overlay, MiB; sparse, so they cost what is written. */
export const DISK_MIB = 8192

/** Names inside the instance folder, which is the working directory of QEMU and passt. */
export const INSTANCE_FILES = {
  disk: 'disk',
  overlay: 'overlay',
  memory: 'memory',
  state: 'state',
  monitor: 'monitor.sock',
  network: 'network.sock',
  serial: 'serial.log',
  agentPort: 'agent',
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

/** What a machine consists of while it runs: files that are mapped into it. */
export interface MachineFiles {
  /** Root filesystem; `frozen`: the guest has ended writing to it, and it may serve many. */
  disk: string
  frozen: boolean
  /** What the guest has written since the disk was frozen. */
  overlay: string
  memory: string
  /** Overlay and memory are another's: opened for reading, and what the guest writes is its own. */
  private: boolean
}

/**
 * The disks are memory too (NVDIMM), not block devices: a guest that waits for a disk is idle, and on the virtual clock idle
 * time is leapt over, so that how busy the host's disk is would be lab time. Reading memory takes instructions alone.
 */
const memories = (spec: MachineSpec, files: MachineFiles): string[] => {
  const write = files.private ? 'share=off,readonly=on,rom=off,reserve=off' : 'share=on'
  const file = (id: string, mib: number, name: string, how: string): string[] => [
    '-object',
    `memory-backend-file,id=${id},size=${mib}M,mem-path=${name},${how}`,
  ]
  return [
    ...['-m', `${spec.memoryMib}M,slots=2,maxmem=${spec.memoryMib + 4 * DISK_MIB}M`],
    ...['-M', MACHINE],
    ...file('memory', spec.memoryMib, files.memory, write),
    // the guest is told of the last one first: the disk is its pmem0, the overlay its pmem1
    ...file('overlay', DISK_MIB, files.overlay, write),
    ...['-device', 'nvdimm,id=pmem1,memdev=overlay'],
    ...file('disk', DISK_MIB, files.disk, files.frozen ? 'share=on,readonly=on' : 'share=on'),
    ...['-device', `nvdimm,id=pmem0,memdev=disk,unarmed=${files.frozen ? 'on' : 'off'}`],
  ]
}

/**
 * Where the guest has the one port of its virtio-serial card: a line to this host that costs neither of them a network, TLS or a
 * Docker Engine. On the host it is a pair of named pipes, `agent.in` and `agent.out`: for the guest their other end is always there, so
 * whoever leaves it must have had the guest say no more before.
 */
export const AGENT_PORT = '/dev/vport1p1'

/**
 * QEMU finds what it has translated, and the guest's pages, in tables on its heap, in no order: in huge pages the host's processor finds
 * them sooner (glibc's malloc tunables; the translations themselves QEMU has there by itself).
 */
const HUGE_HEAP = 'GLIBC_TUNABLES=glibc.malloc.hugetlb=1'

/**
 * QEMU's command line. It must be the same, device by device, for a machine that is saved and for one that goes on from it.
 *
 * @param incoming true to wait for a saved state
 */
export const qemuCommand = (
  build: EngineBuild,
  spec: MachineSpec,
  options: { files: MachineFiles; incoming: boolean },
): string[] => [
  ...['env', HUGE_HEAP, 'setpriv', '--no-new-privs', ...toolCommand(build.tools, 'usr/bin/qemu-system-x86_64', [])],
  ...['-L', `${build.tools}/usr/share/qemu`, '-L', `${build.tools}/usr/share/seabios`],
  ...['-nodefaults', '-display', 'none', '-no-reboot', '-sandbox', SANDBOX],
  // files are opened by then; what is opened later comes as a file descriptor
  ...(isRoot ? ['-run-with', 'user=nobody'] : []),
  ...accelerate(spec),
  ...['-smp', String(spec.cpus)],
  ...memories(spec, options.files),
  ...['-kernel', build.kernel, '-initrd', build.initramfs, '-append', KERNEL_ARGUMENTS],
  ...['-netdev', `stream,id=net,server=off,addr.type=unix,addr.path=${INSTANCE_FILES.network}`],
  ...['-device', 'virtio-net-pci,netdev=net,romfile='],
  ...['-chardev', `pipe,id=agent,path=${INSTANCE_FILES.agentPort}`, '-device', 'virtio-serial-pci'],
  ...['-device', 'virtserialport,chardev=agent,name=lvslab'],
  ...['-chardev', `file,id=serial,path=${INSTANCE_FILES.serial}`, '-serial', 'chardev:serial'],
  ...['-chardev', `socket,id=monitor,path=${INSTANCE_FILES.monitor},server=on,wait=off`],
  ...['-object', 'monitor-hmp,id=hmp,chardev=monitor'],
  ...['-add-fd', 'fd=3,set=1', '-add-fd', 'fd=4,set=2'],
  ...(options.incoming ? ['-incoming', 'defer'] : []),
]

/** Where the state goes when a machine is saved, and where it comes from: descriptors 3 and 4, see {@link qemuCommand}. */
export const STATE_OUT = 'file:/dev/fdset/1'
export const STATE_IN = 'file:/dev/fdset/2'

/** Before either: what stands in files already is not copied. */
export const MEMORY_IS_A_FILE = 'migrate_set_capability x-ignore-shared on'

/** The last two: nothing that wakes an idle lab for the sake of statistics, or to compare its clocks. */
const KERNEL_ARGUMENTS =
  'console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off audit=0 random.trust_cpu=on psi=0 tsc=nowatchdog'

/**
 * Without an HPET: Linux masks its interrupts once it knows the processor's own timer, but QEMU's goes on, 250 ticks a second, twice
 * each: 500 of 640 rounds of QEMU's main loop in a second of an idle pair.
 */
const MACHINE = 'q35,memory-backend=memory,nvdimm=on,hpet=off'

/** What a saved machine was booted with, part of its key: what is changed here shows in machines that are booted anew alone. */
export const bootedWith = (spec: MachineSpec): string[] => [MACHINE, ...accelerate(spec), KERNEL_ARGUMENTS]

/** passt's command line: one port of the host's loopback leads to the guest's Docker API, and nothing leads anywhere else. */
export const passtCommand = (build: EngineBuild, port: number): string[] => [
  ...toolCommand(build.tools, 'usr/bin/passt', ['--foreground', '--one-off', '--socket', INSTANCE_FILES.network]),
  ...['--tcp-ports', `127.0.0.1/${port}:2376`, '--ipv4-only', '--no-udp', '--no-icmp'],
  // without lo as the way out, the guest would reach the network, and services of this host
  ...['--outbound-if4', 'lo', '--no-map-gw'],
  ...['--address', '10.0.2.15', '--netmask', '24', '--gateway', '10.0.2.2'],
  ...['--no-dhcp', '--no-ra', '--no-ndp', '--no-dhcpv6'],
]
