// What the declaration says may be reckoned (sums, products, limits), reckoned over the form as it stands: the same rules
// the server checks with, before anything is saved. Exact, on texts.
import type { Kind, Reckoning } from '@/api/types'
import { compareDecimals, isDecimal, multiplyDecimals, sumDecimals } from './decimal'
import type { FormModel } from './form'

/** One comparison: what stands there and what comes out, and whether they agree. */
export interface Finding {
  how: Reckoning['how']
  /** of the field that is judged */
  key: string
  level: 'head' | 'line'
  /** of a line, from 0 */
  index: number | null
  field: string
  of: string[]
  given: string
  computed: string
  ok: boolean
}

/** Which sum a head field is, if it is one. */
export const sumOf = (kind: Kind, field: string): Reckoning | undefined =>
  kind.reckoned?.find((rule) => rule.how === 'sum' && rule.field === field)

/** Which line fields have a sum that means something: those a head field is the sum of, and products. */
export function summed(kind: Kind): string[] {
  const rules = kind.reckoned ?? []
  const named = rules.filter((rule) => rule.how === 'sum').flatMap((rule) => rule.of)
  const products = rules.filter((rule) => rule.how === 'product').map((rule) => rule.field)
  return [...new Set([...named, ...products])]
}

/** The sum of a line field; null where there is nothing to add or something that is no number. */
export function sumOfLines(field: string, lines: readonly { values: Record<string, string> }[]): string | null {
  const values = lines.map((line) => line.values[field] ?? '').filter(Boolean)
  return values.length ? sumDecimals(values) : null
}

const positive = (text: string): boolean => isDecimal(text) && compareDecimals(text, '0') > 0

/** Everything that can be compared now. Where a number is missing or none, nothing is said: the field says it itself. */
export function reckon(kind: Kind, form: FormModel): Finding[] {
  return (kind.reckoned ?? []).flatMap((rule) => {
    if (rule.how === 'product') return products(rule, form)
    const given = form.head[rule.field] ?? ''
    const base = { how: rule.how, key: `head/${rule.field}`, level: 'head' as const, index: null }
    if (rule.how === 'sum') {
      const filled = form.lines.filter((line) => Object.values(line.values).some(Boolean))
      const computed = sumOfLines(rule.of[0] ?? '', filled)
      const whole = filled.every((line) => isDecimal(line.values[rule.of[0] ?? ''] ?? ''))
      if (computed === null || !whole || (given && !isDecimal(given))) return []
      const ok = !given || compareDecimals(given, computed) === 0
      return [{ ...base, field: rule.field, of: rule.of, given, computed, ok }]
    }
    const limit = form.head[rule.of[0] ?? ''] ?? ''
    if (!isDecimal(given) || !isDecimal(limit)) return []
    return [{ ...base, field: rule.field, of: rule.of, given, computed: limit, ok: compareDecimals(given, limit) <= 0 }]
  })
}

function products(rule: Reckoning, form: FormModel): Finding[] {
  const [first = '', second = ''] = rule.of
  return form.lines.flatMap((line, index) => {
    const [a, b, given] = [first, second, rule.field].map((name) => line.values[name] ?? '') as [string, string, string]
    if (!positive(a) || !positive(b) || (given && !isDecimal(given))) return []
    const decimals = rule.decimals ?? 2
    const computed = multiplyDecimals(a, b, decimals)
    const ok = !!given && compareDecimals(multiplyDecimals(given, '1', decimals), computed) === 0
    const base = { how: rule.how, key: `lines/${index}/${rule.field}`, level: 'line' as const, index }
    return [{ ...base, field: rule.field, of: rule.of, given, computed, ok }]
  })
}
