// Rules of the table of documents: what is drawn, which columns, what a range takes.
import { describe, expect, it } from 'vitest'
import {
  arranged,
  asDeclared,
  isDeclared,
  moved,
  MOST_PINNED,
  pinToggled,
  sanitised,
  toggled,
  widened,
} from '@/lib/columns'
import { viewColumns } from '@/lib/fields'
import { rangeOf } from '@/lib/range'
import { columnSpan, edgesOf, rowSpan, scrollTo, within } from '@/lib/span'
import { PICK, placed } from '@/widgets/table/layout'
import { KIND } from './support'

const ALL = viewColumns(KIND, (name) => name)
const names = (choice = asDeclared()) => arranged(ALL, choice).map((column) => column.name)

describe('rows and columns in view', () => {
  it('draw what one sees and a few beyond, never what is not there', () => {
    expect(rowSpan(0, 500, 32, 200)).toEqual({ from: 0, to: 24 })
    expect(rowSpan(0, 500, 40, 200).to).toBeLessThan(rowSpan(0, 500, 32, 200).to)
    const middle = rowSpan(3200, 500, 32, 200)
    expect(middle.from).toBeLessThanOrEqual(94)
    expect(middle.to).toBeGreaterThanOrEqual(122)
    expect(middle.to - middle.from).toBeLessThan(40)
    expect(rowSpan(6000, 500, 32, 200).to).toBe(200)
    expect(rowSpan(99_999, 500, 32, 3)).toEqual({ from: 3, to: 3 })
    expect(rowSpan(-50, 500, 32, 0)).toEqual({ from: 0, to: 0 })
  })
  it('stay the same for a few pixels of scrolling', () => {
    expect(rowSpan(3201, 500, 32, 200)).toEqual(rowSpan(3230, 500, 32, 200))
  })
  it('of columns: those that reach into the room', () => {
    const edges = edgesOf(Array.from({ length: 30 }, () => 100))
    expect(columnSpan(edges, 0, 500)).toEqual({ from: 0, to: 7 })
    expect(columnSpan(edges, 1000, 500)).toEqual({ from: 8, to: 17 })
    expect(columnSpan(edges, 2500, 500)).toEqual({ from: 23, to: 30 })
    expect(columnSpan([0], 0, 500)).toEqual({ from: 0, to: 0 })
  })
  it('are scrolled no more than needed', () => {
    expect(scrollTo(320, 352, 0, 500)).toBe(0)
    expect(scrollTo(640, 672, 0, 500)).toBe(172)
    expect(scrollTo(64, 96, 300, 500)).toBe(64)
    expect(scrollTo(0, 900, 300, 500)).toBe(0)
  })
  it('keep the one with the focus, wherever it is', () => {
    expect(within({ from: 4, to: 7 }, 5)).toEqual([4, 5, 6])
    expect(within({ from: 4, to: 7 }, 0)).toEqual([0, 4, 5, 6])
    expect(within({ from: 4, to: 7 }, 90)).toEqual([4, 5, 6, 90])
    expect(within({ from: 0, to: 2 }, -1)).toEqual([0, 1])
  })
})

describe('columns of a person', () => {
  it('are those of the declaration until they choose', () => {
    expect(names()).toEqual(['number', 'state', 'return_info', 'flag', 'worth', 'stored_at', 'updated_at'])
    expect(isDeclared(asDeclared())).toBe(true)
    expect(arranged(ALL, asDeclared(), ['flag']).map((c) => c.name)).not.toContain('flag')
  })
  it('move among their own: pinned ones stay left', () => {
    const shown = arranged(ALL, asDeclared())
    const further = moved(asDeclared(), shown, 'worth', -2)
    expect(names(further).slice(0, 4)).toEqual(['number', 'state', 'worth', 'return_info'])
    expect(moved(asDeclared(), shown, 'state', -1)).toEqual(asDeclared())
    expect(names(moved(asDeclared(), shown, 'state', 99)).at(-1)).toBe('state')
    const pinned = pinToggled(asDeclared(), shown, 'worth')
    expect(names(pinned).slice(0, 3)).toEqual(['number', 'worth', 'state'])
    expect(names(moved(pinned, arranged(ALL, pinned), 'worth', -1)).slice(0, 2)).toEqual(['worth', 'number'])
  })
  it('are pinned up to a number, and let go again', () => {
    let choice = asDeclared()
    for (const name of ['state', 'flag', 'worth', 'stored_at']) choice = pinToggled(choice, arranged(ALL, choice), name)
    expect(choice.pinned).toHaveLength(MOST_PINNED)
    choice = pinToggled(choice, arranged(ALL, choice), 'number')
    expect(arranged(ALL, choice).find((c) => c.name === 'number')?.fixed).toBe(false)
  })
  it('come and go at the right end, but number and state stay', () => {
    const shown = arranged(ALL, asDeclared())
    expect(names(toggled(asDeclared(), shown, 'money')).at(-1)).toBe('money')
    expect(names(toggled(asDeclared(), shown, 'flag'))).not.toContain('flag')
    expect(names({ ...asDeclared(), names: ['flag'] })).toEqual(['number', 'state', 'flag'])
  })
  it('keep a width until it is given back', () => {
    const wide = widened(asDeclared(), 'flag', 9999)
    expect(arranged(ALL, wide).find((c) => c.name === 'flag')).toMatchObject({ width: 800, sized: true })
    expect(isDeclared(widened(wide, 'flag', null))).toBe(true)
  })
  it('are taken from what was remembered only where it makes sense', () => {
    expect(sanitised(null, ALL)).toEqual(asDeclared())
    expect(sanitised(['number', 'flag'], ALL)).toEqual(asDeclared())
    expect(sanitised({ names: ['gone'], pinned: 'x', widths: [] }, ALL)).toEqual(asDeclared())
    expect(
      sanitised(
        {
          names: ['flag', 'gone', 'flag', 7, 'worth'],
          pinned: ['gone', 'number'],
          widths: { flag: 120.4, worth: -5, money: 'wide', gone: 90 },
        },
        ALL,
      ),
    ).toEqual({ names: ['flag', 'worth'], pinned: ['number'], widths: { flag: 120 } })
  })
})

describe('where columns stand', () => {
  const label = () => '列'
  it('one after the other, pinned ones first; what room is left goes to those nobody sized', () => {
    const columns = [
      { ...ALL[0]!, width: 160, fixed: true },
      { ...ALL[1]!, width: 100, fixed: false, sized: true },
      { ...ALL[2]!, width: 200, fixed: false },
    ]
    const found = placed(columns, PICK + 560, label)
    expect(found.all.map((place) => [place.left, place.width])).toEqual([
      [PICK, 160],
      [PICK + 160, 100],
      [PICK + 260, 300],
    ])
    expect(found.pinnedTo).toBe(PICK + 160)
    expect(found.width).toBe(PICK + 560)
    expect(placed(columns, 100, label).width).toBe(PICK + 460)
  })
  it('wide enough for their heads unless made narrow', () => {
    const [found] = placed([{ ...ALL[3]!, width: 60 }], 0, () => '申报地海关代码').all
    expect(found!.width).toBeGreaterThanOrEqual(7 * 12)
    expect(placed([{ ...ALL[3]!, width: 60, sized: true }], 0, () => '申报地海关代码').all[0]!.width).toBe(60)
  })
})

describe('a range of rows', () => {
  const rows = ['a', 'b', 'c', 'd'].map((id) => ({ id }))
  const ids = (from: string, to: string) => rangeOf(rows, from, to).map((row) => row.id)
  it('takes both ends and what lies between, in either direction', () => {
    expect(ids('b', 'd')).toEqual(['b', 'c', 'd'])
    expect(ids('d', 'b')).toEqual(['b', 'c', 'd'])
    expect(ids('c', 'c')).toEqual(['c'])
  })
  it('begun on another page is only the row itself', () => {
    expect(ids('x', 'c')).toEqual(['c'])
    expect(ids('a', 'x')).toEqual([])
  })
})
