// The width at which a column shows all it holds.
import type { DocumentRow } from '@/api/types'
import { cellValue } from '@/lib/fields'
import { PADDING } from '@/lib/textRoom'
import type { PlacedColumn } from './layout'

/** the marks in a head, and what rounding takes */
const SLACK = 4

/** Measured on what is on the page; what is out of view counts by how many letters more it has. */
export function fitWidth(box: HTMLElement | undefined, { column, width }: PlacedColumn, rows: readonly DocumentRow[]) {
  const cells = [...(box?.querySelectorAll<HTMLElement>(`[data-column="${column.name}"]`) ?? [])]
  if (!cells.length) return width
  const range = document.createRange()
  let most = 0
  let letters = 1
  for (const cell of cells) {
    // the words themselves, however wide the box is that cuts them
    range.selectNodeContents(cell.querySelector('.text, .link, .label') ?? cell)
    const here = range.getBoundingClientRect().width
    if (here > most) {
      most = here
      letters = Math.max(1, cell.innerText.trim().length)
    }
  }
  const longest = Math.max(...rows.map((row) => cellValue(row, column.name).length), 0)
  // codes are shown with their names: only plain texts can be compared by their length
  const plain = column.kindOf === 'value' && !column.field?.code_table && !column.field?.choices
  const beyond = plain ? Math.max(1, longest / letters) : 1
  return Math.ceil(most * beyond) + PADDING + SLACK
}
