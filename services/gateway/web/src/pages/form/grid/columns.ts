// The columns of the grid: one for each field that people fill in, wide enough for its heading and what stands in it.
import type { Field } from '@/api/types'
import { isNumeric } from '@/lib/fields'
import { say } from '@/locales'

export interface GridColumn {
  field: Field
  index: number
  left: number
  width: number
}

/** the sticky ones at both ends, in px */
export const NUMBER = 48
export const TOOLS = 62

const valueWidth = (field: Field): number => {
  if (isNumeric(field)) return 104
  if (field.code_table || field.choices?.length) return 128
  const length = field.length ?? 20
  return length <= 12 ? 112 : length <= 60 ? 144 : 180
}
/** about what the heading takes: a Chinese character is as wide as it is high, a letter half of that */
const headingWidth = (field: Field): number =>
  [...say(field.label)].reduce((sum, sign) => sum + (sign > '\u2e7f' ? 12.5 : 7), 18 + (field.required ? 8 : 0))

export const widthOf = (field: Field): number => Math.ceil(Math.max(valueWidth(field), headingWidth(field)))
