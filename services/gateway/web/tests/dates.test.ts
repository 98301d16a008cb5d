import { describe, expect, it } from 'vitest'
import { addDays, addMonth, quickRange, rangeFault, rangeQuery, showCustomsTime, showTime, today } from '@/lib/dates'

describe('times are Shanghai’s, whatever the computer thinks', () => {
  it('shows a moment as a clerk writes it', () => {
    expect(showTime('2026-11-20T15:04:59+08:00')).toBe('2026-11-20 15:04')
    expect(showTime('2026-11-20T17:30:00Z')).toBe('2026-11-21 01:30')
    expect(showTime('2026-11-20T15:04:59+08:00', true)).toBe('2026-11-20 15:04:59')
  })
  it('shows midnight as 00, never as 24', () => {
    expect(showTime('2026-11-19T16:00:00Z')).toBe('2026-11-20 00:00')
  })
  it('shows nothing for nothing and leaves what is no time as it is', () => {
    expect(showTime(null)).toBe('')
    expect(showTime('soon')).toBe('soon')
  })
  it('reads customs times', () => {
    expect(showCustomsTime('20261120150412')).toBe('2026-11-20 15:04:12')
    expect(showCustomsTime('20261120150412345')).toBe('2026-11-20 15:04:12')
    expect(showCustomsTime('2026')).toBe('2026')
  })
  it('knows the day in Shanghai late in the evening of Greenwich', () => {
    expect(today(new Date('2026-11-20T16:00:00Z'))).toBe('2026-11-21')
  })
})

describe('the storage time spans at most one calendar month', () => {
  it.each([
    ['2018-07-01', '2018-07-31'],
    ['2026-02-01', '2026-02-28'],
    ['2026-11-20', '2026-12-19'],
    ['2026-11-20', '2026-11-20'],
    ['2026-01-31', '2026-02-27'],
  ])('%s to %s is allowed', (from, to) => expect(rangeFault([from, to])).toBeNull())
  it.each([
    ['2018-07-01', '2018-08-01'],
    ['2026-11-20', '2026-12-20'],
    ['2026-01-31', '2026-02-28'],
    ['2026-01-01', '2026-12-31'],
  ])('%s to %s is too long', (from, to) => expect(rangeFault([from, to])).toBe('month'))
  it('says when the ends are the wrong way round', () => expect(rangeFault(['2026-11-21', '2026-11-20'])).toBe('order'))
  it('asks nothing of an open range', () => expect(rangeFault(null)).toBeNull())
  it('steps over the ends of months and years', () => {
    expect(addMonth('2026-12-15')).toBe('2027-01-15')
    expect(addMonth('2028-01-31')).toBe('2028-02-29')
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  })
})

describe('quick picks', () => {
  const now = new Date('2026-11-20T07:04:00Z')
  it.each([
    ['today', ['2026-11-20', '2026-11-20']],
    ['week', ['2026-11-14', '2026-11-20']],
    ['month', ['2026-11-01', '2026-11-20']],
  ] as const)('%s', (pick, range) => {
    expect(quickRange(pick, now)).toEqual(range)
    expect(rangeFault(quickRange(pick, now))).toBeNull()
  })
  it('a whole month of 31 days picked on its last day is allowed', () => {
    expect(rangeFault(quickRange('month', new Date('2026-10-31T07:00:00Z')))).toBeNull()
  })
  it('asks the API from the first to the last moment', () => {
    expect(rangeQuery('stored', ['2026-11-01', '2026-11-30'])).toEqual({
      stored_from: '2026-11-01T00:00:00+08:00',
      stored_to: '2026-11-30T23:59:59.999999+08:00',
    })
  })
})
