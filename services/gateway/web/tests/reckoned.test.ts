// Sums, products and limits as the declaration says them, on texts: what the server will say, before anything is saved.
import { describe, expect, it } from 'vitest'
import type { Kind } from '@/api/types'
import { compareDecimals, multiplyDecimals, subtractDecimals } from '@/lib/decimal'
import { contentFrom, formFrom } from '@/lib/form'
import { reckon, summed } from '@/lib/reckoned'
import { typedDay, typedMoment } from '@/lib/dates'
import { searchCodes } from '@/lib/codeSearch'
import { KIND } from './support'

const RECKONED: Kind = {
  ...KIND,
  head: KIND.head.map((field) => (field.name === 'worth' ? { ...field, filled_by: 'computed' as const } : field)),
  reckoned: [
    { how: 'product', level: 'line', field: 'totalPrice', of: ['qty', 'price'], decimals: 2 },
    { how: 'sum', level: 'head', field: 'worth', of: ['totalPrice'], decimals: null },
    { how: 'at-most', level: 'head', field: 'net', of: ['gross'], decimals: null },
  ],
}
const find = (head: Record<string, string>, ...lines: Record<string, string>[]) =>
  reckon(RECKONED, formFrom({ head, lines }))
const told = (head: Record<string, string>, ...lines: Record<string, string>[]) =>
  find(head, ...lines).map(({ key, computed, ok }) => [key, computed, ok])

describe('what the declaration lets one reckon', () => {
  it('a sum is exact and beside what stands there', () => {
    expect(told({ worth: '0.3' }, { totalPrice: '0.1' }, { totalPrice: '0.20000' })).toEqual([
      ['head/worth', '0.30000', true],
    ])
    expect(told({ worth: '0.31' }, { totalPrice: '0.1' }, { totalPrice: '0.2' })).toEqual([
      ['head/worth', '0.3', false],
    ])
    // left to the system
    expect(told({}, { totalPrice: '9999999999999999.99' })).toEqual([['head/worth', '9999999999999999.99', true]])
  })
  it('nothing is said while something is missing or no number', () => {
    expect(told({ worth: '1' }, { totalPrice: '1' }, { qty: '2' })).toEqual([])
    expect(told({ worth: 'x' }, { totalPrice: '1' })).toEqual([])
    expect(told({ net: '2' })).toEqual([])
    // an empty line is none
    expect(told({ worth: '1' }, { totalPrice: '1' }, {})).toEqual([['head/worth', '1', true]])
  })
  it('a product is rounded half up to cents, on both sides', () => {
    expect(told({}, { qty: '3', price: '0.335', totalPrice: '1.01' })[0]).toEqual(['lines/0/totalPrice', '1.01', true])
    expect(told({}, { qty: '3', price: '0.335', totalPrice: '1.00' })[0]).toEqual(['lines/0/totalPrice', '1.01', false])
    expect(told({}, { qty: '4', price: '14.95' })[0]).toEqual(['lines/0/totalPrice', '59.80', false])
  })
  it('a limit is not passed', () => {
    expect(told({ net: '1.2', gross: '1.18' })).toEqual([['head/net', '1.18', false]])
    expect(told({ net: '1.180', gross: '1.18' })).toEqual([['head/net', '1.18', true]])
  })
  it('which columns have a sum follows from it', () => {
    expect(summed(RECKONED)).toEqual(['totalPrice'])
  })
  it('a stored sum that agrees is left to the system, one that does not is shown', () => {
    const lines = [{ totalPrice: '12.50' }]
    expect(contentFrom(RECKONED, { head: { worth: '12.50000' }, lines }).head.worth).toBe('')
    expect(contentFrom(RECKONED, { head: { worth: '13' }, lines }).head.worth).toBe('13')
  })
})

describe('decimals', () => {
  it('compare, subtract and multiply exactly', () => {
    expect([compareDecimals('1.50', '1.5'), compareDecimals('-1', '0.1'), compareDecimals('10', '9.99')]).toEqual([
      0, -1, 1,
    ])
    expect([subtractDecimals('100', '99.8'), subtractDecimals('1', '-1'), subtractDecimals('0.1', '0.3')]).toEqual([
      '0.2',
      '2',
      '-0.2',
    ])
    expect([
      multiplyDecimals('2', '0.0025', 2),
      multiplyDecimals('-1.005', '1', 2),
      multiplyDecimals('7', '3', 0),
    ]).toEqual(['0.01', '-1.01', '21'])
    expect(multiplyDecimals('9999999999999999999', '9999999999999999999', 2)).toBe(
      '99999999999999999980000000000000000001.00',
    )
  })
})

describe('dates as people type them', () => {
  it.each([
    ['20261127', '20261127'],
    ['2026-11-27', '20261127'],
    ['2026/11/27', '20261127'],
    ['2026.1.5', '20260105'],
    ['2026年11月27日', '20261127'],
    ['20261327', null],
    ['2026-02-30', null],
    ['202611', null],
  ])('%s', (typed, day) => expect(typedDay(typed)).toBe(day))
  it.each([
    ['20261127150405', '20261127150405'],
    ['2026-11-27 15:04', '20261127150400'],
    ['2026/11/27 15:04:05', '20261127150405'],
    ['2026-11-27', '20261127000000'],
    ['2026-11-27 25:00', null],
    ['2026-11-27 15', null],
  ])('%s', (typed, moment) => expect(typedMoment(typed)).toBe(moment))
})

describe('codes', () => {
  const item = (code: string, zh: string, pinyin: string, initials: string[]) => ({
    code,
    zh,
    en: '',
    pinyin,
    initials,
  })
  const TABLE = [
    item('8000', '重庆关区', 'cqgq', ['cz', 'q', 'g', 'qo']),
    item('071', '长吨', 'zd', ['zc', 'd']),
    item('07', '厂', 'c', ['c']),
    item('8001', '渝机场', 'yjc', ['y', 'j', 'c']),
  ]
  it.each([
    ['8000', ['8000']],
    ['800', ['8000', '8001']],
    ['CQ', ['8000']],
    ['zq', ['8000']],
    ['cd', ['071']],
    ['重庆', ['8000']],
    ['07', ['07', '071']],
    ['nothing', []],
  ])('%s', (typed, found) => expect(searchCodes(TABLE, typed).map((one) => one.code)).toEqual(found))
})
