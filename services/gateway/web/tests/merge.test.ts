// Two people, one document: what goes together by itself, what is asked, and that nothing is lost.
import { describe, expect, it } from 'vitest'
import { align, merge, settle, type Content, type Side } from '@/lib/merge'

const line = (itemNo: string, qty: string) => ({ itemNo, qty })
const BASE: Content = { head: { no: '1', note: 'a' }, lines: [line('A', '1'), line('B', '2'), line('C', '3')] }
const changed = (change: (content: Content) => void): Content => {
  const copy = structuredClone(BASE)
  change(copy)
  return copy
}
const both = (mine: Content, theirs: Content) => merge(BASE, mine, theirs)
const out = (mine: Content, theirs: Content, choices: [string, Side][] = []) =>
  settle(both(mine, theirs), new Map(choices))

describe('what both changed', () => {
  it('at different places goes together', () => {
    const mine = changed((c) => {
      c.head.note = 'mine'
      c.lines[0]!.qty = '10'
    })
    const theirs = changed((c) => {
      c.head.port = '9000'
      c.lines[2]!.qty = '30'
    })
    const merged = both(mine, theirs)
    expect(merged.conflicts).toEqual([])
    expect(merged.taken).toEqual([
      { line: null, field: 'port', before: '', after: '9000' },
      { line: 2, field: 'qty', before: '3', after: '30' },
    ])
    expect(settle(merged, new Map())).toEqual({
      head: { no: '1', note: 'mine', port: '9000' },
      lines: [line('A', '10'), line('B', '2'), line('C', '30')],
    })
  })
  it('to the same is no question', () => {
    const same = changed((c) => (c.head.note = 'x'))
    expect(both(same, structuredClone(same))).toMatchObject({ conflicts: [], taken: [] })
  })
  it('at the same place is asked, and either can be had', () => {
    const mine = changed((c) => (c.lines[1]!.qty = '20'))
    const theirs = changed((c) => (c.lines[1]!.qty = '21'))
    expect(both(mine, theirs).conflicts).toEqual([
      { id: 'lines/1/qty', line: 1, field: 'qty', base: '2', mine: '20', theirs: '21' },
    ])
    expect(out(mine, theirs, [['lines/1/qty', 'theirs']]).lines[1]).toEqual(line('B', '21'))
    // undecided, mine stands
    expect(out(mine, theirs).lines[1]).toEqual(line('B', '20'))
  })
  it('what one emptied and the other changed is asked, too', () => {
    const mine = changed((c) => delete c.head.note)
    const theirs = changed((c) => (c.head.note = 'new'))
    expect(both(mine, theirs).conflicts).toMatchObject([{ id: 'head/note', mine: '', theirs: 'new' }])
  })
})

describe('lines', () => {
  it('that came in front move the others, and are not taken for changes', () => {
    const mine = changed((c) => (c.lines[0]!.qty = '10'))
    const theirs = changed((c) => c.lines.unshift(line('N', '9')))
    expect(both(mine, theirs).conflicts).toEqual([])
    expect(out(mine, theirs).lines.map((one) => `${one.itemNo}${one.qty}`)).toEqual(['N9', 'A10', 'B2', 'C3'])
  })
  it('of both stand behind each other; the same line of both is one', () => {
    const mine = changed((c) => c.lines.push(line('M', '1'), line('S', '7')))
    const theirs = changed((c) => c.lines.push(line('S', '7'), line('T', '1')))
    expect(out(mine, theirs).lines.map((one) => one.itemNo)).toEqual(['A', 'B', 'C', 'T', 'M', 'S'])
  })
  it('that one took away go, unless the other changed them', () => {
    const mine = changed((c) => c.lines.splice(1, 1))
    expect(out(mine, structuredClone(BASE)).lines.map((one) => one.itemNo)).toEqual(['A', 'C'])
    expect(out(structuredClone(BASE), mine).lines.map((one) => one.itemNo)).toEqual(['A', 'C'])
    const theirs = changed((c) => (c.lines[1]!.qty = '20'))
    const [conflict] = both(mine, theirs).conflicts
    expect(conflict).toMatchObject({ field: '', mine: '', theirs: 'B · 20' })
    expect(out(mine, theirs, [[conflict!.id, 'theirs']]).lines.map((one) => one.itemNo)).toEqual(['A', 'B', 'C'])
    expect(out(mine, theirs, [[conflict!.id, 'mine']]).lines.map((one) => one.itemNo)).toEqual(['A', 'C'])
  })
  it('are known again when some are changed and some are new', () => {
    const other = [line('N', '0'), { itemNo: 'A', qty: '11', unit: '035' }, line('C', '3')]
    const base = [{ itemNo: 'A', qty: '1', unit: '035' }, line('C', '3')]
    expect(align(base, other).of).toEqual([1, 2])
  })
  it('a thousand of them do not take long in steps', () => {
    const many = Array.from({ length: 1000 }, (_, n) => line(`I${n}`, '1'))
    const other = many.map((one, n) => (n % 2 ? one : { ...one, qty: '2' }))
    expect(align(many, other).of).toEqual(many.map((_, n) => n))
  })
})
