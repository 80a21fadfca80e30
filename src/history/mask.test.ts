import { describe, expect, it } from 'vitest'
import { createMasker, maskDeep } from './mask.ts'

describe('createMasker', () => {
  it('masks a secret as a whole word only', () => {
    const mask = createMasker(['1111'])
    expect(mask('the pass is 1111, not 21111 or 1111x or a_1111')).toBe('the pass is ***, not 21111 or 1111x or a_1111')
    expect(mask('(1111)')).toBe('(***)')
  })

  it('leaves addresses, ports and decimals that contain a numeric secret', () => {
    const mask = createMasker(['1111', '10'])
    for (const text of ['10.0.0.1:1111', '3.1111 s', 'fe80::1111', '00:50:56:10:11:12', '3 x 10 s']) {
      expect(mask(text)).toBe(text)
    }
    expect(mask('got 1111.')).toBe('got ***.')
  })

  it('masks the 8 characters that keepalived keeps, longest first', () => {
    const mask = createMasker(['secret-password', 'secret'])
    expect(mask('secret-password secret-p secret')).toBe('*** *** ***')
  })

  it('masks a secret with special characters at its edges', () => {
    expect(createMasker(['$a.b*'])('x=$a.b*y')).toBe('x=***y')
    expect(createMasker(['pässwort'])('pässwort pässwortx')).toBe('*** pässwortx')
  })

  it.each([
    ['auth_pass 1234', 'auth_pass ***'],
    ['  auth_pass   "x y" # why', '  auth_pass   *** # why'],
    ["auth_pass 'x y'}", 'auth_pass ***}'],
    ['auth_pass "not closed', 'auth_pass ***'],
    ['{"auth_pass": "x\\"y", "a": 1}', '{"auth_pass": ***, "a": 1}'],
    ['   Authentication password = x y\n   Next = 1', '   Authentication password = ***\n   Next = 1'],
    ['   Password = hunter2', '   Password = ***'],
    ['auth_data = hunter2', 'auth_data = ***'],
    ['AUTH_PASS x', 'AUTH_PASS ***'],
  ])('masks by keyword, known or not: %s', (text, masked) => {
    const mask = createMasker([])
    expect(mask(text)).toBe(masked)
    expect(mask(mask(text))).toBe(masked)
  })

  it('lets people speak of the keyword', () => {
    const mask = createMasker(['truncated'])
    for (const text of [
      'Truncating auth_pass to 8 characters',
      'auth_pass differs between d1 and d2',
      'auth_passes x',
      'auth_pass is longer than 8 characters; keepalived uses the first 8',
      'auth_pass stands in virtual_server, where keepalived does not know it',
      'auth_pass has no value',
      'auth_pass takes no block; keepalived ignores the {',
      '# begins a comment, so keepalived reads auth_pass without what stands behind it',
      'there is no blank after auth_pass in auth_pass***; keepalived ignores the line',
    ]) {
      expect(mask(text)).toBe(text)
    }
    expect(mask('auth_pass truncated')).toBe('auth_pass ***')
    expect(['auth_pass is', 'auth_pass has', 'auth_pass in'].map(mask)).toEqual(Array(3).fill('auth_pass ***'))
  })

  it('ignores empty secrets and ones too short to hide', () => {
    expect(createMasker(['', ' ', 'a'])('a b')).toBe('a b')
  })
})

describe('maskDeep', () => {
  it('masks strings at any depth and keeps numbers, addresses and our own words', () => {
    const mask = createMasker(['1111', 'request', '10.0.0.9'])
    const event = {
      kind: 'request',
      t: 1111,
      detail: 'pass 1111',
      source: '10.0.0.9',
      target: '10.0.0.9:80',
      list: [{ line: 'auth_pass x' }],
      none: null,
    }
    expect(maskDeep(event, mask)).toEqual({
      ...event,
      detail: 'pass ***',
      list: [{ line: 'auth_pass ***' }],
    })
  })
})
