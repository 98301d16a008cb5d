// What an import of a kind asks for: follows from its sheet.
import type { Kind, Mapping } from '@/api/types'

/** Required fields of head and lines that the workbook has no column for and only a strategy (or a mapping) can fill. */
export function lackingFields(kind: Kind, mapping?: Pick<Mapping, 'columns' | 'constants'> | null): string[] {
  const sheet = kind.sheet
  if (!sheet) return []
  const there = mapping
    ? new Set([...Object.keys(mapping.columns), ...Object.keys(mapping.constants)])
    : new Set(sheet.columns.map((column) => `${column.level}.${column.field}`))
  const of = (level: 'head' | 'line', fields: Kind['head']) =>
    fields
      .filter((f) => f.filled_by === 'strategy' && f.required && (f.default === null || f.default === undefined))
      .map((f) => `${level}.${f.name}`)
  return [...of('head', kind.head), ...of('line', kind.lines)].filter((place) => !there.has(place))
}

/** A batch number is made of the strategy's short codes, so whoever has one has the other. */
export const needsStrategy = (kind: Kind, mapping?: Pick<Mapping, 'columns' | 'constants'> | null): boolean =>
  !!kind.sheet?.batch || lackingFields(kind, mapping).length > 0

export interface Target {
  place: string
  level: 'head' | 'line'
  field: Kind['head'][number]
}
/** Every field a column of somebody's own workbook may mean. */
export const targetsOf = (kind: Kind): Target[] =>
  (['head', 'line'] as const).flatMap((level) =>
    (level === 'head' ? kind.head : kind.lines)
      .filter((field) => field.filled_by !== 'system' && field.filled_by !== 'customs')
      .map((field) => ({ place: `${level}.${field.name}`, level, field })),
  )
