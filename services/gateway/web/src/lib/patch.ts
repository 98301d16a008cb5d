// Live changes meet the rows on the glass: newer versions win, place is kept, nothing is added or taken away.
import type { DocumentRow, StateChange } from '@/api/types'

export interface Patched {
  rows: DocumentRow[]
  flashed: string[]
}

/** A change applies when it is of a newer version, or of the same version with another state (a receipt). */
function isNews(row: DocumentRow, change: StateChange): boolean {
  if (change.version < row.version) return false
  return (
    change.version > row.version ||
    change.state !== row.state ||
    (change.customs_status ?? null) !== (row.customs_status ?? null)
  )
}

export function patchRow<T extends DocumentRow>(row: T, change: StateChange): T {
  return {
    ...row,
    state: change.state,
    state_text: undefined, // the declaration's words for the new state are used instead
    customs_status: change.customs_status ?? row.customs_status,
    version: change.version,
    settled: change.settled,
    updated_at: change.updated_at ?? row.updated_at,
    // customs' words belong to the state before: rather none than the wrong ones
    return_info: change.return_info ?? null,
    overdue_at: null, // the time in the new state begins now; its limit comes with the next look
    actions: undefined, // what may be done now follows from the state again
  }
}

/** Rows read anew take the place of the same rows on the glass unless those are newer; none comes or goes. */
export function mergeRows(rows: readonly DocumentRow[], fresh: readonly DocumentRow[]): DocumentRow[] {
  const byId = new Map(fresh.map((row) => [row.id, row]))
  return rows.map((row) => {
    const found = byId.get(row.id)
    return found && found.version >= row.version ? found : row
  })
}

export function patchRows(rows: readonly DocumentRow[], changes: readonly StateChange[]): Patched {
  const byId = new Map<string, StateChange>()
  for (const change of changes) {
    const known = byId.get(change.id)
    if (!known || change.version >= known.version) byId.set(change.id, change)
  }
  const flashed: string[] = []
  const patched = rows.map((row) => {
    const change = byId.get(row.id)
    if (!change || !isNews(row, change)) return row
    flashed.push(row.id)
    return patchRow(row, change)
  })
  return { rows: patched, flashed }
}
