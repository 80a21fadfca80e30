import { expect, it } from 'vitest'
import { loadOrder } from './initramfs.ts'

const DEP = `kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko.xz kernel/net/core/failover.ko.xz
kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko.xz
kernel/net/core/failover.ko.xz:
kernel/drivers/md/dm-mod.ko.xz:
`

it('loads what a module needs before it, each once, whatever way its name is spelled', () => {
  expect(loadOrder(DEP, ['dm_mod', 'virtio_net'])).toEqual([
    'kernel/drivers/md/dm-mod.ko.xz',
    'kernel/net/core/failover.ko.xz',
    'kernel/drivers/net/net_failover.ko.xz',
    'kernel/drivers/net/virtio_net.ko.xz',
  ])
})

it('leaves out what is built into the kernel', () => {
  expect(loadOrder(DEP, ['ext4'])).toEqual([])
})
