import { expect, it } from 'vitest'
import { portRange } from './docker-source.ts'

it('uses seven ranges of ports, one after the other, up to the last port there is', () => {
  expect([0, 1, 6, 7].map(portRange)).toEqual(['8192 16383', '16384 24575', '57344 65535', '8192 16383'])
})
