// Where each column of a table stands and how wide it is.
import type { ViewColumn } from '@/lib/fields'
import { edgesOf } from '@/lib/span'
import { headRoom } from '@/lib/textRoom'

/** the column of the ticks */
export const PICK = 38
const DEFAULT = 84

export interface PlacedColumn {
  column: ViewColumn
  /** from 0, among all that are shown */
  at: number
  left: number
  width: number
  /** the last of the pinned: what scrolls begins behind it */
  isLastPinned: boolean
}

/** Heads are read whole unless somebody made their column narrow; what room is left is given to those nobody sized. */
export function placed(columns: readonly ViewColumn[], room: number, label: (column: ViewColumn) => string) {
  const wanted = columns.map((column) => {
    const width = column.width ?? DEFAULT
    if (column.sized) return width
    return Math.max(width, headRoom(label(column), !!column.sortable))
  })
  const loose = columns.map((column, i) => (column.sized || column.fixed ? 0 : (wanted[i] ?? 0)))
  const sum = loose.reduce((all, width) => all + width, 0)
  const spare = Math.max(0, room - PICK - wanted.reduce((all, width) => all + width, 0))
  const widths = wanted.map((width, i) => width + (sum ? Math.floor((spare * (loose[i] ?? 0)) / sum) : 0))
  const edges = edgesOf(widths, PICK)
  const last = columns.filter((column) => column.fixed).length - 1
  const all = columns.map((column, at): PlacedColumn => ({
    column,
    at,
    left: edges[at] ?? 0,
    width: widths[at] ?? 0,
    isLastPinned: at === last,
  }))
  const pinned = all.filter((one) => one.column.fixed)
  return {
    all,
    pinned,
    loose: all.filter((one) => !one.column.fixed),
    /** where what scrolls begins */
    pinnedTo: edges[pinned.length] ?? PICK,
    looseEdges: edges.slice(pinned.length),
    width: Math.max(room, edges.at(-1) ?? 0),
  }
}
