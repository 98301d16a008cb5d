// What is wrong with one value, told as one leaves the field. The server checks again and more; what it says stands.
import type { Field } from '@/api/types'

export type Fault =
  | { code: 'required' | 'blank' | 'integer' | 'decimal' | 'date' | 'datetime' }
  | { code: 'length' | 'short' | 'scale' | 'digits'; limit: number }
  | { code: 'choice' }

const DECIMAL = /^-?\d+(\.\d+)?$/

export function fieldFault(field: Field, value: string | undefined): Fault | null {
  const text = value ?? ''
  if (text === '') return field.required && field.default === null ? { code: 'required' } : null
  if (field.choices?.length) return field.choices.some((c) => c.value === text) ? null : { code: 'choice' }
  if (field.type === 'code' && /\s/.test(text)) return { code: 'blank' }
  if (field.type === 'integer') return /^\d+$/.test(text) ? tooMany(field, text) : { code: 'integer' }
  if (field.type === 'decimal') return decimalFault(field, text)
  if (field.type === 'date') return /^\d{8}$/.test(text) ? null : { code: 'date' }
  if (field.type === 'datetime') return /^\d{14}$/.test(text) ? null : { code: 'datetime' }
  if (field.length && [...text].length > field.length) return { code: 'length', limit: field.length }
  if (field.min_length && [...text].length < field.min_length) return { code: 'short', limit: field.min_length }
  return null
}

const tooMany = (field: Field, text: string): Fault | null =>
  field.digits && text.length > field.digits ? { code: 'digits', limit: field.digits } : null

function decimalFault(field: Field, text: string): Fault | null {
  if (!DECIMAL.test(text)) return { code: 'decimal' }
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  if (field.scale !== null && field.scale !== undefined && fraction.length > field.scale)
    return { code: 'scale', limit: field.scale }
  const most = field.digits ? field.digits - (field.scale ?? 0) : 0
  return most && whole.length > most ? { code: 'digits', limit: most } : null
}
