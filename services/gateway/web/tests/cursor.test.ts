import { describe, expect, it } from 'vitest'
import { back, currentCursor, firstPage, forward, fromLink, hasPrevious } from '@/lib/cursor'

describe('paging by cursors', () => {
  it('walks forwards and back the same way', () => {
    const second = forward(firstPage(), 'b')
    const third = forward(second, 'c')
    expect([third.page, currentCursor(third)]).toEqual([3, 'c'])
    expect(back(third)).toEqual(second)
    expect(back(second)).toEqual(firstPage())
  })
  it('has nothing before the first page', () => {
    expect(hasPrevious(firstPage())).toBe(false)
    expect(back(firstPage())).toEqual(firstPage())
  })
  it('from a link goes back to the first page, whose way is known', () => {
    const linked = fromLink('k', 7)
    expect([linked.page, currentCursor(linked), hasPrevious(linked)]).toEqual([7, 'k', true])
    expect(back(linked)).toEqual(firstPage())
    expect(forward(linked, 'l').page).toBe(8)
    expect(back(forward(linked, 'l'))).toEqual(linked)
  })
  it('does not believe a nonsensical page number', () => {
    expect(fromLink('k', Number.NaN).page).toBe(2)
    expect(fromLink('', 9)).toEqual(firstPage())
  })
})
