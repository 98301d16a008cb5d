import { describe, expect, it } from 'vitest'
import { columnDecimals, showDecimal, significantDecimals, sumDecimals } from '@/lib/decimal'

describe('amounts stay exact, with the decimals they have, less the zeros beyond the second', () => {
  it.each([
    ['64.99500', 0, '64.995'],
    ['1234567.50000', 0, '1,234,567.50'],
    ['1234567.5', 2, '1,234,567.50'],
    ['100.00000', 0, '100.00'],
    ['100', 0, '100'],
    ['12.5', 0, '12.5'],
    ['0.00000', 0, '0.00'],
    ['-1234.5', 0, '-1,234.5'],
    ['00012', 0, '12'],
    ['9999999999999999999.99999', 0, '9,999,999,999,999,999,999.99999'],
  ])('%s with %i decimals is shown as %s', (value, decimals, shown) => expect(showDecimal(value, decimals)).toBe(shown))
  it('never rounds to fit', () => expect(showDecimal('1.12345', 2)).toBe('1.12345'))
  it('leaves what is no decimal alone', () => {
    expect(showDecimal('１０')).toBe('１０')
    expect(showDecimal('1e5')).toBe('1e5')
    expect(showDecimal(null)).toBe('')
  })
  it('gives a column one number of decimals', () => {
    expect(significantDecimals('64.99500')).toBe(3)
    expect(significantDecimals('64.50000')).toBe(2)
    expect(columnDecimals(['100.00000', '64.99500', '7.5', null, 'x'])).toBe(3)
    expect(columnDecimals([])).toBe(0)
  })
})

describe('sums', () => {
  it('are exact where binary numbers are not', () => {
    expect(sumDecimals(['0.1', '0.2'])).toBe('0.3')
    expect(sumDecimals(['9999999999999999999.99999', '0.00001'])).toBe('10000000000000000000.00000')
    expect(sumDecimals(['-0.5', '0.25'])).toBe('-0.25')
    expect(sumDecimals(['3', '4'])).toBe('7')
  })
  it('are not made of what cannot be read', () => expect(sumDecimals(['1', 'x'])).toBeNull())
})
