// The wrong cells of an import, counted by reason.
import type { CellProblem } from '@/api/types'

export interface Reason {
  code: string
  text: string
  count: number
}

/** The reasons that occur, most frequent first; the words of a code's first cell stand for it, without that cell's value. */
export function reasonsOf(cells: readonly CellProblem[]): Reason[] {
  const byCode = new Map<string, Reason>()
  for (const cell of cells) {
    const known = byCode.get(cell.code)
    if (known) known.count++
    else byCode.set(cell.code, { code: cell.code, text: cell.message, count: 1 })
  }
  return [...byCode.values()].sort((a, b) => b.count - a.count)
}
