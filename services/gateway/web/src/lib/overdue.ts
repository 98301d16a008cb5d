// Whether a document has rested in its state too long: the server says from when on, the clock here says whether it is.
import type { DocumentRow } from '@/api/types'

export const isOverdue = (row: Pick<DocumentRow, 'overdue_at'>, now: number = Date.now()): boolean => {
  const at = row.overdue_at ? Date.parse(row.overdue_at) : Number.NaN
  return !Number.isNaN(at) && at <= now
}
