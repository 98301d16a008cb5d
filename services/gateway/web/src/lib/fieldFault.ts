// What is wrong with one value. While one types only what more typing cannot mend is told; on leaving the field, all.
// The server checks again and more; what it says stands.
import type { Field } from '@/api/types'
import { typedDay, typedMoment } from './dates'

export type Fault =
  | { code: 'required' | 'blank' | 'integer' | 'decimal' | 'date' | 'datetime' | 'choice' | 'unknownCode' }
  | { code: 'length' | 'short' | 'scale' | 'digits'; limit: number }
  | { code: 'fullWidth'; found: string; instead: string }

const DECIMAL = /^-?\d+(\.\d+)?$/
const PART_OF_DECIMAL = /^-?\d*\.?\d*$/
const PART_OF_DATE = /^[\d\s./:年月日-]*$/
/** Full-width digits, letters, signs and the blank of Chinese input. */
const FULL_WIDTH = /[\uFF01-\uFF5E\u3000。]+/

/** The same in half-width; what is meant is told, never put in its place in silence. */
export const halfWidth = (text: string): string =>
  text
    .replace(/[\uFF01-\uFF5E]/g, (one) => String.fromCharCode(one.charCodeAt(0) - 0xfee0))
    .replace(/\u3000/g, ' ')
    .replace(/。/g, '.')

function fullWidth(text: string): Fault | null {
  const found = FULL_WIDTH.exec(text)?.[0]
  return found ? { code: 'fullWidth', found, instead: halfWidth(found) } : null
}
const takesAscii = (field: Field): boolean => field.type !== 'text'
/** Left to the system, or filled by default, where nothing is typed. */
const mayLack = (field: Field): boolean => field.filled_by === 'computed' || (field.default ?? null) !== null

/** knows: whether a code stands in the field's table; undefined where that is not known here. */
export function fieldFault(field: Field, value: string | undefined, knows?: boolean): Fault | null {
  const text = value ?? ''
  if (text === '') return field.required && !mayLack(field) ? { code: 'required' } : null
  return typingFault(field, text) ?? wholeFault(field, text, knows)
}

/** What is wrong already, whatever is typed behind it. */
export function typingFault(field: Field, text: string): Fault | null {
  if (text === '' || field.choices?.length) return null
  if (takesAscii(field) && !field.code_table) {
    const wide = fullWidth(text)
    if (wide) return wide
  }
  if (field.type === 'integer') return /^\d+$/.test(text) ? tooMany(field, text) : { code: 'integer' }
  if (field.type === 'decimal') return PART_OF_DECIMAL.test(text) ? decimalFault(field, text) : { code: 'decimal' }
  if (field.type === 'date' || field.type === 'datetime') return PART_OF_DATE.test(text) ? null : { code: field.type }
  // of a field with a table one types names, too, until it is left
  if (field.code_table) return null
  if (field.type === 'code' && /\s/.test(text)) return { code: 'blank' }
  if (field.length && [...text].length > field.length) return { code: 'length', limit: field.length }
  return null
}

function wholeFault(field: Field, text: string, knows: boolean | undefined): Fault | null {
  if (field.choices?.length) return field.choices.some((c) => c.value === text) ? null : { code: 'choice' }
  if (field.type === 'decimal') return DECIMAL.test(text) ? null : { code: 'decimal' }
  if (field.type === 'integer') return null
  if (field.type === 'date') return typedDay(text) === text ? null : { code: 'date' }
  if (field.type === 'datetime') return typedMoment(text) === text ? null : { code: 'datetime' }
  if (field.code_table) {
    const wide = fullWidth(text)
    if (wide) return wide
    if (knows === false && !field.open_table) return { code: 'unknownCode' }
    if (/\s/.test(text)) return { code: 'blank' }
    if (field.length && [...text].length > field.length) return { code: 'length', limit: field.length }
  }
  if (field.min_length && [...text].length < field.min_length) return { code: 'short', limit: field.min_length }
  return null
}

const tooMany = (field: Field, text: string): Fault | null =>
  field.digits && text.length > field.digits ? { code: 'digits', limit: field.digits } : null

function decimalFault(field: Field, text: string): Fault | null {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  if (field.scale !== null && field.scale !== undefined && fraction.length > field.scale)
    return { code: 'scale', limit: field.scale }
  const most = field.digits ? field.digits - (field.scale ?? 0) : 0
  return most && whole.length > most ? { code: 'digits', limit: most } : null
}
