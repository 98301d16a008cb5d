// A place of a document in words: line and label of a field, and its value as people read it.
import type { Kind } from '@/api/types'
import { isNumeric, showField } from '@/lib/fields'
import { say, t } from '@/locales'
import { useCodes } from '@/stores/codes'

interface Spot {
  line: number | null
  field: string
}

export function useFieldWords(kind: Kind) {
  const codes = useCodes()
  const fieldAt = (at: Spot) => (at.line === null ? kind.head : kind.lines).find((one) => one.name === at.field)
  const nameOf = (at: Spot): string => {
    const line = at.line === null ? '' : t('form.line', { n: at.line + 1 })
    return [line, at.field ? say(fieldAt(at)?.label) : ''].filter(Boolean).join(' ')
  }
  const valueOf = (at: Spot, value: string): string => {
    if (!value) return at.field ? t('app.none') : t('form.noLine')
    const field = fieldAt(at)
    // numbers as they were typed: what differs may be a zero
    return at.field && !isNumeric(field) ? showField(field, value, { say, code: codes.show }) : value
  }
  return { nameOf, valueOf }
}
