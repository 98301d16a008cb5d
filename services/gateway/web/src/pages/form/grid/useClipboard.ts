// Copying, cutting and pasting blocks of cells. What was mended or found no room is told, never done in silence.
import { shallowReactive, shallowRef } from 'vue'
import type { CodeItem, Field } from '@/api/types'
import type { Line } from '@/lib/form'
import { cellsOf, isRange, tableOf, textOf } from '@/lib/paste'
import { codeOf, questionOf, repaired } from '@/lib/pasteRepair'
import type { Block } from './useCells'
import type { LineEdits, Pasted } from './useLines'

export interface Repair {
  line: Line
  field: Field
  pasted: string
  value: string
}
export interface Told {
  rows: number
  lostRows: number
  lostColumns: number
  repairs: Repair[]
}
interface Grid {
  fields: () => readonly Field[]
  lines: () => readonly Line[]
  edits: LineEdits
  leave: (key: string) => void
  suggest: (table: string, q: string) => Promise<CodeItem[]>
}

/** One value over a selected block fills all of it, as in a spreadsheet. */
const spread = (cells: string[][], block: Block): string[][] =>
  isRange(cells)
    ? cells
    : Array.from({ length: block.bottom - block.top + 1 }, () =>
        Array.from({ length: block.right - block.left + 1 }, () => cells[0]?.[0] ?? ''),
      )

export function useClipboard(grid: Grid) {
  const told = shallowRef<Told | null>(null)
  /** cells whose pasted text was mended, until they are changed: key of the line and name of the field → repair */
  const marks = shallowReactive(new Map<string, Repair>())
  const markOf = (line: Line, name: string) => `${line.key}/${name}`

  function valuesOf(block: Block): string[][] {
    const names = grid.fields().slice(block.left, block.right + 1)
    return grid
      .lines()
      .slice(block.top, block.bottom + 1)
      .map((line) => names.map((field) => line.values[field.name] ?? ''))
  }
  function copy(event: ClipboardEvent, block: Block): void {
    const cells = valuesOf(block)
    event.clipboardData?.setData('text/plain', textOf(cells))
    event.clipboardData?.setData('text/html', tableOf(cells))
    event.preventDefault()
  }
  function note(repair: Repair): void {
    const key = markOf(repair.line, repair.field.name)
    const former = marks.get(key)
    const whole = { ...repair, pasted: former?.pasted ?? repair.pasted }
    marks.set(key, whole)
    if (!told.value) return
    const others = told.value.repairs.filter((one) => markOf(one.line, one.field.name) !== key)
    told.value = { ...told.value, repairs: [...others, whole] }
  }
  function paste(text: string, block: Block): { rows: number; columns: number } {
    marks.clear()
    const given = spread(cellsOf(text), block)
    const fields = grid.fields().slice(block.left)
    const cells = given.map((row) => row.map((cell, c) => (fields[c] ? repaired(fields[c], cell) : cell)))
    const done = grid.edits.paste(
      block.top,
      fields.map((field) => field.name),
      cells,
    )
    told.value = { rows: done.rows, lostRows: done.lostRows, lostColumns: done.lostColumns, repairs: [] }
    for (let r = 0; r < done.rows; r++) {
      const line = grid.lines()[block.top + r] as Line
      cells[r]?.forEach((value, c) => {
        const field = fields[c]
        if (!field) return
        grid.leave(`lines/${block.top + r}/${field.name}`)
        const pasted = given[r]?.[c] ?? ''
        if (pasted !== value) note({ line, field, pasted, value })
      })
    }
    void resolve(done, block.top, fields, cells)
    return { rows: done.rows, columns: Math.max(...cells.map((row) => row.length)) }
  }
  /** Names of codes become codes as the tables answer; each name is asked for once. */
  async function resolve(done: Pasted, top: number, fields: readonly Field[], cells: string[][]): Promise<void> {
    const asked = new Map<string, Promise<CodeItem[]>>()
    const ask = (table: string, q: string) => {
      const key = `${table}\n${q}`
      if (!asked.has(key)) asked.set(key, grid.suggest(table, q))
      return asked.get(key) as Promise<CodeItem[]>
    }
    const open = cells.slice(0, done.rows).flatMap((row, r) =>
      row.flatMap((text, c) => {
        const field = fields[c]
        const question = field ? questionOf(field, text) : null
        const line = grid.lines()[top + r]
        return field && line && question ? [{ field, line, text, question }] : []
      }),
    )
    await Promise.all(
      open.map(async ({ field, line, text, question }) => {
        // a table that cannot be read mends nothing: the text stays, and is judged
        const items = await ask(field.code_table as string, question).catch(() => [])
        const code = codeOf(items, text)
        if (code === null || code === text) return
        if (grid.edits.mend(done.step, line, field.name, text, code)) note({ line, field, pasted: text, value: code })
      }),
    )
  }
  return {
    told,
    copy,
    paste,
    /** What stood in a cell before it was mended, as long as it was not changed since. */
    repairOf: (line: Line, name: string): Repair | undefined => {
      const repair = marks.get(markOf(line, name))
      return repair && line.values[name] === repair.value ? repair : undefined
    },
  }
}
