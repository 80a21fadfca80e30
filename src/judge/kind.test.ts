import { expect, it } from 'vitest'
import { kindOf } from './kind.ts'

it.each([
  ['shares-10.0.0.100:80/TCP', 'shares'],
  ['shares-fwmark 50 10.0.0.100:80', 'shares'],
  ['sorry-[fd00::100]:80/TCP', 'sorry'],
  ['failover-stop-fd00::100', 'failover-stop'],
  ['failover-stop-10.0.0.100', 'failover-stop'],
  ['failover-script-chk', 'failover-script'],
  ['single-owner-link-lan-10.0.0.100', 'single-owner-link'],
  ['server-10.0.0.100:80/TCP-rs1:80', 'server'],
  ['configuration-d1', 'configuration'],
  ['silent-backup-crash', 'silent-backup-crash'],
  ['10.0.0.100', '10.0.0.100'],
])('%s is of the kind %s', (name, kind) => expect(kindOf(name)).toBe(kind))
