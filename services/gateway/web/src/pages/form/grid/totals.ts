// Sums under the columns that may be added up: a price, or a quantity of different units, has no sum.
import { computed, type ComputedRef } from 'vue'
import type { Field } from '@/api/types'
import { columnDecimals, showDecimal, sumDecimals } from '@/lib/decimal'
import type { Line } from '@/lib/form'

const isTotal = (field: Field) => /^total/i.test(field.name) && field.type === 'decimal'

/** One computed value for each column: a letter typed in one adds up no other. */
export function totalsOf(fields: readonly Field[], lines: () => readonly Line[]): Map<string, ComputedRef<string>> {
  return new Map(
    fields.filter(isTotal).map((field) => [
      field.name,
      computed(() => {
        const values = lines()
          .map((line) => line.values[field.name] ?? '')
          .filter(Boolean)
        return showDecimal(sumDecimals(values), columnDecimals(values))
      }),
    ]),
  )
}
