// Sums under the columns that may be added up: a price, or a quantity of different units, has no sum.
import { computed, type ComputedRef } from 'vue'
import type { Kind } from '@/api/types'
import { columnDecimals, showDecimal, sumDecimals } from '@/lib/decimal'
import type { Line } from '@/lib/form'
import { summed } from '@/lib/reckoned'

/** One computed value for each column: a letter typed in one adds up no other. */
export function totalsOf(kind: Kind, lines: () => readonly Line[]): Map<string, ComputedRef<string>> {
  return new Map(
    summed(kind).map((name) => [
      name,
      computed(() => {
        const values = lines()
          .map((line) => line.values[name] ?? '')
          .filter(Boolean)
        return showDecimal(sumDecimals(values), columnDecimals(values))
      }),
    ]),
  )
}
