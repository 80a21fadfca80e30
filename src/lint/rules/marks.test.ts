import { expect, it } from 'vitest'
import { findingsIn, mark } from '../testing.ts'

it('finds a mark that no rule sets, where the folder of a director has the place of its rules', () => {
  const codes = (files: Record<string, string>) =>
    findingsIn({ 'd1/etc/keepalived/keepalived.conf': mark(), ...files }).map(one => one.code)
  const rules = (number: number) => `*mangle\n-A PREROUTING -p tcp -j MARK --set-mark ${number}\nCOMMIT\n`
  expect(codes({ 'd1/etc/iptables/rules.v6': '' })).toEqual(['mark-unset'])
  expect(codes({ 'd1/etc/iptables/rules.v4': rules(7) })).toEqual(['mark-unset'])
  expect(codes({ 'd1/etc/iptables/rules.v4': rules(50) })).toEqual([])
  expect(codes({})).toEqual(['mark-unknown'])
})
