// The wrong cells of an import, counted by reason and by column; and whether trying again can help.
import type { CellProblem, ImportTask } from '@/api/types'

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

export interface ColumnCount {
  column: string
  count: number
}
/** The columns that occur, from left to right as far as their letters tell. */
export function columnsOf(cells: readonly CellProblem[]): ColumnCount[] {
  const counts = new Map<string, { count: number; letter: string }>()
  for (const { column, letter } of cells) {
    const known = counts.get(column)
    if (known) known.count++
    else counts.set(column, { count: 1, letter: letter ?? '' })
  }
  const place = (letter: string) => letter.padStart(3, ' ')
  return [...counts]
    .sort(([, a], [, b]) => place(a.letter).localeCompare(place(b.letter)))
    .map(([column, { count }]) => ({ column, count }))
}

/** It failed through no fault of its file, or takes too long: the same file may go through. */
export const mayRetry = (task: ImportTask): boolean =>
  !!task.overdue || (task.state === 'failed' && ['internal', 'stopped-too-often'].includes(task.failure?.code ?? ''))
