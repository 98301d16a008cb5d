// The rules of the line grid: what is in view, what a key means, what can be taken back, what a spreadsheet brings.
import { reactive } from 'vue'
import { describe, expect, it } from 'vitest'
import type { Field } from '@/api/types'
import { newLine, type Line } from '@/lib/form'
import { shiftKeys } from '@/lib/formErrors'
import { cellsOf, isRange, tableOf, textOf } from '@/lib/paste'
import { codeOf, questionOf, repaired } from '@/lib/pasteRepair'
import { History, inverse } from '@/pages/form/grid/history'
import { commandOf, type Standing } from '@/pages/form/grid/keys'
import { useCells } from '@/pages/form/grid/useCells'
import { useLines } from '@/pages/form/grid/useLines'
import { columnsIn, leftsOf, rowsIn, scrolledTo } from '@/pages/form/grid/window'
import { KIND } from './support'

const label = (zh: string, en = zh) => ({ zh, en })
const field = (more: Partial<Field> = {}): Field => ({
  name: 'f',
  label: label('f'),
  type: 'text',
  required: false,
  ...more,
})

describe('what is in view', () => {
  it.each([
    ['at the top', [0, 320, 32, 500, 2], { from: 0, to: 12 }],
    ['in the middle', [3200, 320, 32, 500, 2], { from: 98, to: 112 }],
    ['half lines on both sides', [3216, 320, 32, 500, 0], { from: 100, to: 111 }],
    ['at the end', [15_680, 320, 32, 500, 2], { from: 488, to: 500 }],
    ['beyond the end, as after a removal', [15_680, 320, 32, 3, 2], { from: 1, to: 3 }],
    ['without lines', [0, 320, 32, 0, 2], { from: 0, to: 0 }],
  ] as const)('lines %s', (_, given, span) =>
    expect(rowsIn(...(given as unknown as Parameters<typeof rowsIn>))).toEqual(span),
  )

  it('columns by where they begin', () => {
    const lefts = leftsOf([100, 50, 200, 100], 300)
    expect(lefts).toEqual([0, 100, 150, 350, 450])
    expect(columnsIn(0, 120, lefts, 0)).toEqual({ from: 0, to: 2 })
    expect(columnsIn(150, 120, lefts, 0)).toEqual({ from: 2, to: 3 })
    expect(columnsIn(150, 120, lefts, 1)).toEqual({ from: 1, to: 4 })
    expect(columnsIn(900, 120, lefts, 0)).toEqual({ from: 3, to: 4 })
    expect(columnsIn(0, 120, [0])).toEqual({ from: 0, to: 0 })
  })
  it('few columns fill the room', () => expect(leftsOf([100, 300], 800)).toEqual([0, 200, 800]))
  it('scrolls no further than needed', () => {
    expect(scrolledTo(100, 32, 0, 320)).toBe(0)
    expect(scrolledTo(310, 32, 0, 320)).toBe(22)
    expect(scrolledTo(100, 32, 200, 320)).toBe(100)
    // wider than the room: its beginning counts
    expect(scrolledTo(500, 400, 0, 320)).toBe(500)
  })
})

describe('what a key means', () => {
  const standing: Standing = { editing: false, atStart: false, atEnd: false }
  const editing: Standing = { ...standing, editing: true }
  const key = (name: string, more: Partial<KeyboardEvent> = {}) => ({
    key: name,
    code: name.length === 1 ? `Key${name.toUpperCase()}` : name,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    isComposing: false,
    ...more,
  })
  const move = (rows: number, columns: number, extend = false) => ({ do: 'move', rows, columns, extend })

  it.each([
    ['Enter', {}, { do: 'step', by: 1, with: 'Enter' }],
    ['Enter', { shiftKey: true }, { do: 'step', by: -1, with: 'Enter' }],
    ['Tab', {}, { do: 'step', by: 1, with: 'Tab' }],
    ['Tab', { shiftKey: true }, { do: 'step', by: -1, with: 'Tab' }],
    ['ArrowUp', {}, move(-1, 0)],
    ['ArrowDown', {}, move(1, 0)],
    ['ArrowLeft', {}, move(0, -1)],
    ['ArrowRight', {}, move(0, 1)],
    ['ArrowDown', { shiftKey: true }, move(1, 0, true)],
    ['ArrowRight', { shiftKey: true }, move(0, 1, true)],
    ['End', {}, { do: 'edge', by: 1, extend: false }],
    ['PageDown', {}, { do: 'page', by: 1, extend: false }],
    ['ArrowDown', { ctrlKey: true, shiftKey: true }, { do: 'far', by: 1, extend: true }],
    ['F2', {}, { do: 'edit' }],
    ['Escape', {}, { do: 'giveBack' }],
    ['Delete', {}, { do: 'clear' }],
    ['z', { ctrlKey: true }, { do: 'undo' }],
    ['Z', { ctrlKey: true, shiftKey: true }, { do: 'redo' }],
    ['y', { ctrlKey: true }, { do: 'redo' }],
    ['d', { ctrlKey: true }, { do: 'duplicate' }],
    ['Delete', { ctrlKey: true }, { do: 'remove' }],
    ['a', { ctrlKey: true }, { do: 'all' }],
    // a letter goes into the control; Alt and all other Ctrl keys belong to the page
    ['a', {}, null],
    ['ArrowDown', { altKey: true }, null],
    ['End', { ctrlKey: true }, null],
    ['c', { ctrlKey: true }, null],
  ])('%s %j standing in a cell', (name, more, command) =>
    expect(commandOf(key(name as string, more as object), standing)).toEqual(command),
  )
  it.each([
    ['ArrowLeft', {}, {}, null],
    ['ArrowLeft', {}, { atStart: true }, move(0, -1)],
    ['ArrowRight', {}, { atEnd: true }, move(0, 1)],
    ['ArrowRight', { shiftKey: true }, { atEnd: true }, null],
    ['ArrowDown', {}, {}, move(1, 0)],
    ['Home', {}, {}, null],
    ['Delete', {}, {}, null],
    ['z', { ctrlKey: true }, {}, null],
    ['Delete', { ctrlKey: true }, {}, null],
    ['d', { ctrlKey: true }, {}, { do: 'duplicate' }],
    ['Enter', {}, {}, { do: 'step', by: 1, with: 'Enter' }],
  ])('%s %j while a text is edited, caret %j', (name, more, caret, command) =>
    expect(commandOf(key(name as string, more as object), { ...editing, ...(caret as object) })).toEqual(command),
  )
  it('keys of an input method are its own', () => {
    expect(commandOf(key('Enter', { isComposing: true }), editing)).toBeNull()
    expect(commandOf(key('Process'), standing)).toBeNull()
  })
  it('goes along the line and on to the next one, not beyond the ends', () => {
    const cells = useCells(() => ({ rows: 2, columns: 3 }))
    expect(cells.neighbour(-1)).toBeNull()
    cells.stand({ row: 0, column: 2 })
    expect(cells.neighbour(1)).toEqual({ row: 1, column: 0 })
    cells.stand({ row: 9, column: 9 })
    expect(cells.neighbour(1)).toBeNull()
    cells.extend({ row: 0, column: 1 })
    expect(cells.block.value).toEqual({ top: 0, bottom: 1, left: 1, right: 2 })
  })
})

describe('what was done can be taken back', () => {
  const kind = { ...KIND, max_lines: 5 }
  const begin = (...totals: string[]) => {
    const form = reactive<{ lines: Line[] }>({ lines: totals.map((totalPrice) => newLine(kind, { totalPrice })) })
    const moved: [number, number, Line][] = []
    const edits = useLines(kind, form, {
      changed: () => undefined,
      moved: (...how) => moved.push(how),
      defaults: () => ({ no: '9' }),
    })
    const shown = () => form.lines.map((line) => line.values.totalPrice ?? '')
    return { form, edits, moved, shown }
  }

  it('all letters typed into a cell are one step; Escape leaves none', () => {
    const { edits, shown } = begin('1')
    for (const value of ['2', '25']) edits.type({ at: 0, name: 'totalPrice', value })
    edits.settle()
    for (const value of ['3', '31']) edits.type({ at: 0, name: 'totalPrice', value })
    edits.giveBack()
    expect(shown()).toEqual(['25'])
    expect(edits.undo()).toEqual({ at: 0, name: 'totalPrice' })
    expect(shown()).toEqual(['1'])
    edits.redo()
    expect(shown()).toEqual(['25'])
    expect(edits.redo()).toBeNull()
  })
  it('typed and typed back is no step', () => {
    const { edits } = begin('1')
    for (const value of ['12', '1']) edits.type({ at: 0, name: 'totalPrice', value })
    expect(edits.undo()).toBeNull()
  })
  it('lines put in, copied and taken away come and go as they were', () => {
    const { form, edits, moved, shown } = begin('1', '2', '3')
    edits.insert(1, 0)
    edits.remove(2, 2)
    expect(shown()).toEqual(['1', '1'])
    const keys = form.lines.map((line) => line.key)
    edits.undo()
    expect(shown()).toEqual(['1', '1', '2', '3'])
    edits.undo()
    expect(shown()).toEqual(['1', '2', '3'])
    edits.redo()
    edits.redo()
    expect(form.lines.map((line) => line.key)).toEqual(keys)
    // errors follow each of these moves
    expect(moved.slice(0, 5).map(([at, by]) => [at, by])).toEqual([[1, 1], [2, -1], [2, -1], [2, 1], [2, 1]]) // prettier-ignore
    // and know the line that comes back
    const [, two, three, threeAgain, twoAgain] = moved.map(([, , line]) => line.key)
    expect([twoAgain, threeAgain]).toEqual([two, three])
  })
  it('a pasted block is one step, with the lines it added; what finds no room is counted', () => {
    const { form, edits, shown } = begin('1', '2')
    const cells = ['a', 'b', 'c', 'd', 'e', 'f'].map((text) => [text, 'x'])
    const done = edits.paste(1, ['totalPrice'], cells)
    expect([done.rows, done.lostRows, done.lostColumns]).toEqual([4, 2, 1])
    expect(shown()).toEqual(['1', 'a', 'b', 'c', 'd'])
    expect(form.lines[4]?.values.no).toBe('9')
    edits.undo()
    expect(shown()).toEqual(['1', '2'])
    edits.redo()
    expect(shown()).toEqual(['1', 'a', 'b', 'c', 'd'])
  })
  it('a name that turned out to be a code is part of the paste, unless something else stands there', () => {
    const { form, edits, shown } = begin('1', '2')
    const { step } = edits.paste(0, ['totalPrice'], [['人民币'], ['美元']])
    const [first, second] = form.lines as [Line, Line]
    edits.type({ at: 1, name: 'totalPrice', value: '7' })
    edits.settle()
    expect(edits.mend(step, first, 'totalPrice', '人民币', '142')).toBe(true)
    expect(edits.mend(step, second, 'totalPrice', '美元', '502')).toBe(false)
    expect(shown()).toEqual(['142', '7'])
    edits.undo()
    edits.undo()
    expect(shown()).toEqual(['1', '2'])
    edits.redo()
    expect(shown()).toEqual(['142', '美元'])
  })
  it('no more lines than the message takes', () => {
    const { edits, shown } = begin('1', '2', '3', '4', '5')
    edits.insert(5)
    expect(shown()).toHaveLength(5)
    expect(edits.undo()).toBeNull()
  })
  it('forgets the oldest steps, and what was undone when something new is done', () => {
    const history = new History(2)
    const step = (after: string) => [{ what: 'cell' as const, at: 0, name: 'f', before: '', after }]
    for (const text of ['a', 'b', 'c']) history.push(step(text))
    expect(history.back()).toEqual(inverse(step('c')))
    history.push(step('d'))
    expect(history.again()).toBeNull()
    expect([history.back(), history.back(), history.back()]).toEqual([inverse(step('d')), inverse(step('b')), null])
  })
  it('marks of fields one has left move with their lines', () => {
    const keys = new Set(['head/a', 'lines/0/a', 'lines/1/a', 'lines/2/b'])
    shiftKeys(keys, 1, 1)
    expect([...keys].sort()).toEqual(['head/a', 'lines/0/a', 'lines/2/a', 'lines/3/b'])
    shiftKeys(keys, 2, -1)
    expect([...keys].sort()).toEqual(['head/a', 'lines/0/a', 'lines/2/b'])
  })
})

describe('from and to a spreadsheet', () => {
  it('cells come as they were copied, with quotes and line breaks, and go the same way', () => {
    const cells = [['a\tb', ' x '], ['say "hi"', '两\n行'], ['', '0902']] // prettier-ignore
    expect(cellsOf(textOf(cells) + '\r\n')).toEqual(cells)
    expect([isRange([['a']]), isRange([['a', 'b']]), isRange([['a'], ['b']])]).toEqual([false, true, true])
    expect(tableOf([['<b>&"']])).toContain('&lt;b&gt;&amp;&quot;')
  })
  const choices = [{ value: 'A', label: label('甲类', 'Class A') }, { value: 'B', label: label('乙类') }] // prettier-ignore
  it.each<[string, Partial<Field>, string, string]>([
    ['blanks around', { type: 'code' }, ' CB01 ', 'CB01'],
    ['blanks within stay and are judged', { type: 'code' }, 'CB 01', 'CB 01'],
    ['thousands', { type: 'decimal' }, '1,234,567.50', '1234567.50'],
    ['a comma that separates no thousands', { type: 'decimal' }, '1,5', '1,5'],
    ['thousands in a text', {}, '1,234', '1,234'],
    ['full-width digits stay and are judged', { type: 'decimal' }, '１０', '１０'],
    ['a day', { type: 'date' }, '2026/11/2', '20261102'],
    ['a moment', { type: 'datetime' }, '2026-11-20 9:04', '20261120090400'],
    ['a choice as the pages show it', { choices }, '甲类[A]', 'A'],
    ['a choice by name', { choices }, 'class a', 'A'],
    ['a choice whose name and value differ', { choices }, '乙类[A]', '乙类[A]'],
  ])('mends %s', (_, more, text, value) => expect(repaired(field(more), text)).toBe(value))

  it('asks the table about names, not about codes', () => {
    const money = field({ code_table: 'currency' })
    const asked = ['142', '', '人民币', '人民币[142]', 'CNY'].map((text) => questionOf(money, text))
    expect(asked).toEqual([null, null, '人民币', '142', 'CNY'])
    expect(questionOf(field(), '人民币')).toBeNull()
  })
  it('takes a code where a name means one only', () => {
    const items = [
      { code: '142', zh: '人民币', en: 'Renminbi' },
      { code: '143', zh: '人民币', en: 'Other' },
      { code: '502', zh: '美元', en: 'US dollar' },
    ]
    // letters may be a name in one table and a code in another
    expect(codeOf([{ code: 'USD', zh: '美元' }], 'USD')).toBe('USD')
    expect(codeOf([{ code: '502', zh: '美元', en: 'USD' }], 'USD')).toBe('502')
    const asked = ['美元', 'us DOLLAR', '人民币', '人民币[142]', '美元[142]', '日元']
    expect(asked.map((text) => codeOf(items, text))).toEqual(['502', '502', null, '142', null, null])
  })
})
