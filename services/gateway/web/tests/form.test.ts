// The model of the form: what is filled in, what is sent, what is wrong, and where an answer of the server belongs.
import { describe, expect, it } from 'vitest'
import type { Field, Kind, Strategy } from '@/api/types'
import { fieldFault, typingFault } from '@/lib/fieldFault'
import { bodyOf, duplicateLine, formOf, newForm, newLine, ownParty, strategiesOf, strategyParts } from '@/lib/form'
import { byKey, placeErrors, shiftErrors } from '@/lib/formErrors'
import { cellsOf, isRange } from '@/lib/paste'
import { placeKey, placeOf } from '@/lib/pointer'
import { noEntry } from '@/lib/entry'
import { KIND } from './support'

const label = (zh: string) => ({ zh, en: zh })
const field = (name: string, more: Partial<Field> = {}): Field => ({
  name,
  label: label(name),
  type: 'text',
  length: 20,
  required: false,
  filled_by: 'user',
  default: null,
  ...more,
})
const FORM: Kind = {
  ...KIND,
  head: [
    field('guid', { required: true, filled_by: 'system' }),
    field('preNo', { filled_by: 'customs' }),
    field('copNo', { required: true, type: 'code' }),
    field('count', { type: 'integer', digits: 9, required: true, default: '1' }),
    field('tradeMode', { filled_by: 'strategy', choices: [{ value: '9610', label: label('9610') }] }),
    field('operatorCode', { filled_by: 'strategy', required: true }),
    field('operatorName', { filled_by: 'strategy', required: true }),
    field('currency', { filled_by: 'strategy' }),
  ],
  lines: [
    field('gnum', { type: 'integer', filled_by: 'system' }),
    field('itemNo', { required: true }),
    field('currency', { filled_by: 'strategy' }),
  ],
  min_lines: 1,
}

describe('what is filled in and what is sent', () => {
  it('a new form has the defaults, and a line where one is needed', () => {
    const form = newForm(FORM)
    expect(form.head).toEqual({ count: '1' })
    expect(form.lines.map((line) => line.values)).toEqual([{}])
    expect(newForm({ ...FORM, min_lines: 0 }).lines).toEqual([])
    expect(newForm({ ...FORM, lines: [] }).lines).toEqual([])
  })
  it('what the system or customs fills is never sent, nor what is empty', () => {
    const form = formOf({
      head: { guid: 'g', preNo: 'p', copNo: 'C1', count: '', operatorCode: null },
      lines: [{ gnum: '1', itemNo: 'a' }],
    })
    expect(bodyOf(FORM, form).body).toEqual({ head: { copNo: 'C1' }, lines: [{ itemNo: 'a' }] })
  })
  it('empty lines are not sent, and what is said of the others finds them', () => {
    const form = newForm(FORM)
    form.lines = [newLine(FORM), newLine(FORM, { itemNo: 'b' }), newLine(FORM, { itemNo: 'c' })]
    const { body, places } = bodyOf(FORM, form)
    expect(body.lines).toHaveLength(2)
    const errors = placeErrors(FORM, [{ pointer: '/lines/1/itemNo', message: '错' }], places)
    expect(errors[0]?.key).toBe('lines/2/itemNo')
  })
  it('amounts stay the texts that were typed', () => {
    const kind = { ...FORM, head: [field('worth', { type: 'decimal', scale: 5 })], lines: [] }
    expect(bodyOf(kind, { head: { worth: '64.99500' }, lines: [] }).body.head).toEqual({ worth: '64.99500' })
  })
  it('a duplicate is a line of its own', () => {
    const line = newLine(FORM, { itemNo: 'a' })
    const copy = duplicateLine(line)
    copy.values.itemNo = 'b'
    expect([line.values.itemNo, copy.key === line.key]).toEqual(['a', false])
  })
})

describe('who one is and what a strategy knows', () => {
  const own = { code: '91X', name: '戊', kinds: ['operator'] }
  const strategy: Strategy = {
    id: 's',
    name: 's',
    trade_mode: '9610',
    kind: 'order',
    kinds: ['order', 'parcel'],
    defaults: { currency: '502', unknown: 'x' },
    enabled: true,
  }
  it('the own enterprise stands in the roles it has', () => {
    expect(ownParty(FORM, own)).toEqual({ operatorCode: '91X', operatorName: '戊' })
    expect(ownParty(FORM, { ...own, kinds: ['logistics'] })).toEqual({})
    expect(ownParty(FORM, undefined)).toEqual({})
  })
  it('a strategy fills what strategies fill, in head and lines, where the choice exists', () => {
    expect(strategyParts(FORM, strategy)).toEqual({
      head: { tradeMode: '9610', currency: '502' },
      line: { currency: '502' },
    })
    expect(strategyParts(FORM, { ...strategy, trade_mode: '9710' }).head).toEqual({ currency: '502' })
  })
  it('serves the kinds it says, while it is enabled', () => {
    const off = { ...strategy, id: 'off', enabled: false }
    expect(strategiesOf([strategy, off], 'parcel').map((one) => one.id)).toEqual(['s'])
    expect(strategiesOf([{ ...strategy, kinds: undefined }], 'parcel')).toEqual([])
    expect(strategiesOf([strategy], 'order', '9710')).toEqual([])
  })
  it('enters only what its kinds of enterprise may file', () => {
    const kind = { received: false, senders: ['operator', 'logistics'] }
    expect(noEntry(kind, ['operator'], true)).toBeNull()
    expect(noEntry(kind, ['ecommerce'], true)).toBe('sender')
    expect(noEntry(kind, ['operator'], false)).toBe('permission')
    expect(noEntry({ ...kind, received: true }, ['operator'], true)).toBe('received')
    // kinds nobody recorded: the server will say
    expect(noEntry(kind, [], true)).toBeNull()
  })
})

describe('what is seen at once', () => {
  it.each<[string, Partial<Field>, string, unknown]>([
    ['empty', { required: true }, '', { code: 'required' }],
    ['empty with a default', { required: true, default: '1' }, '', null],
    ['too long', { length: 2 }, '三个字', { code: 'length', limit: 2 }],
    ['too short', { min_length: 3 }, 'ab', { code: 'short', limit: 3 }],
    ['a blank in a code', { type: 'code' }, 'A 1', { code: 'blank' }],
    ['full-width digits', { type: 'decimal', scale: 2 }, '１０', { code: 'fullWidth', found: '１０', instead: '10' }],
    ['too many decimals', { type: 'decimal', scale: 2, digits: 19 }, '1.234', { code: 'scale', limit: 2 }],
    ['too many digits', { type: 'decimal', scale: 2, digits: 5 }, '1234', { code: 'digits', limit: 3 }],
    ['a fraction', { type: 'integer' }, '1.5', { code: 'integer' }],
    ['a code that is none', { type: 'code', code_table: 'currency' }, '999', { code: 'unknownCode' }],
    ['a code of an open table', { type: 'code', code_table: 'country', open_table: true }, '999', null],
    ['no day', { type: 'date' }, '20261327', { code: 'date' }],
    ['a sum that is left to the system', { required: true, filled_by: 'computed' }, '', null],
    ['half a day', { type: 'date' }, '202611', { code: 'date' }],
    ['a moment', { type: 'datetime' }, '20261120150400', null],
    ['no choice', { choices: [{ value: 'A', label: label('A') }] }, 'B', { code: 'choice' }],
    ['a right amount', { type: 'decimal', scale: 5, digits: 19 }, '64.99500', null],
  ])('%s', (_, more, value, fault) => expect(fieldFault(field('f', more), value, value !== '999')).toEqual(fault))

  it.each<[string, Partial<Field>, string, unknown]>([
    ['half an amount', { type: 'decimal', scale: 2 }, '12.', null],
    ['a sign', { type: 'decimal', scale: 2 }, '-', null],
    ['a letter in an amount', { type: 'decimal', scale: 2 }, '12a', { code: 'decimal' }],
    ['too many decimals', { type: 'decimal', scale: 2 }, '1.234', { code: 'scale', limit: 2 }],
    ['full-width digits', { type: 'integer' }, '１０', { code: 'fullWidth', found: '１０', instead: '10' }],
    ['half a day', { type: 'date' }, '2026-1', null],
    ['half a name of a code', { type: 'code', code_table: 'currency' }, 'm', null],
    ['half a code', { type: 'code', min_length: 10 }, 'A1', null],
    ['too long', { length: 2 }, '三个字', { code: 'length', limit: 2 }],
    ['nothing yet', { required: true }, '', null],
  ])('while typing: %s', (_, more, value, fault) => expect(typingFault(field('f', more), value)).toEqual(fault))
})

describe('answers of the server find their field', () => {
  it('pointers in head and lines', () => {
    expect(placeOf('/head/orderNo')).toEqual({ level: 'head', index: null, field: 'orderNo' })
    expect(placeOf('/body/lines/2/qty')).toEqual({ level: 'lines', index: 2, field: 'qty' })
    expect(placeOf('/lines')).toBeNull()
    expect(placeOf(undefined)).toBeNull()
    expect(placeKey({ level: 'lines', index: 2, field: 'qty' })).toBe('lines/2/qty')
  })
  it('what stands nowhere on the page is told in the list alone', () => {
    const errors = placeErrors(
      FORM,
      [
        { pointer: '/head/copNo', message: '已存在' },
        { pointer: '/head/nothing', message: '没有这个字段' },
        { message: '整单有误' },
      ],
      [],
    )
    expect(errors.map((one) => one.key)).toEqual(['head/copNo', '', ''])
    expect(byKey(errors)).toEqual(new Map([['head/copNo', ['已存在']]]))
  })
  it('several words of one field stand together', () => {
    const errors = placeErrors(
      FORM,
      ['甲', '乙'].map((message) => ({ pointer: '/head/copNo', message })),
      [],
    )
    expect(byKey(errors).get('head/copNo')).toEqual(['甲', '乙'])
  })
  it('move along when a line comes or goes', () => {
    const errors = placeErrors(
      FORM,
      [0, 1, 2].map((n) => ({ pointer: `/lines/${n}/itemNo`, message: `${n}` })),
      [0, 1, 2],
    )
    const told = (list: typeof errors) => list.map((one) => `${one.key}=${one.message}`)
    expect(told(shiftErrors(errors, 1, -1))).toEqual(['lines/0/itemNo=0', 'lines/1/itemNo=2'])
    expect(told(shiftErrors(errors, 1, 1))).toEqual(['lines/0/itemNo=0', 'lines/2/itemNo=1', 'lines/3/itemNo=2'])
  })
})

describe('cells from a spreadsheet', () => {
  it('come line by line, quoted where they hold breaks', () => {
    expect(cellsOf('a\tb\r\nc\td\r\n')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
    expect(cellsOf('"two\nlines"\t"say ""x"""')).toEqual([['two\nlines', 'say "x"']])
    expect(cellsOf('a\t\tb')).toEqual([['a', '', 'b']])
  })
  it('one cell is no range', () => {
    expect(isRange(cellsOf('one'))).toBe(false)
    expect(isRange(cellsOf('one\n'))).toBe(false)
    expect(isRange(cellsOf('a\tb'))).toBe(true)
  })
})
