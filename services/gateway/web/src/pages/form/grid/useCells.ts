// Where one stands in the grid: the cell with the control in it, and the block of cells that is selected from there.
import { computed, reactive, ref, watch } from 'vue'

export interface Cell {
  row: number
  column: number
}
export interface Block {
  top: number
  bottom: number
  left: number
  right: number
}

export function useCells(size: () => { rows: number; columns: number }) {
  const active = reactive<Cell>({ row: 0, column: 0 })
  /** the other corner of the block */
  const head = reactive<Cell>({ row: 0, column: 0 })
  /** the text of the cell is edited: arrows and Delete belong to it */
  const editing = ref(false)

  const within = ({ row, column }: Cell): Cell => ({
    row: Math.max(0, Math.min(row, size().rows - 1)),
    column: Math.max(0, Math.min(column, size().columns - 1)),
  })
  const block = computed<Block>(() => ({
    top: Math.min(active.row, head.row),
    bottom: Math.max(active.row, head.row),
    left: Math.min(active.column, head.column),
    right: Math.max(active.column, head.column),
  }))
  const several = computed(() => active.row !== head.row || active.column !== head.column)

  function stand(cell: Cell): void {
    Object.assign(active, within(cell))
    Object.assign(head, active)
    editing.value = false
  }
  function extend(cell: Cell): void {
    Object.assign(head, within(cell))
  }
  /** The cell after or before this one, along the line and on to the next; null beyond the first and the last. */
  function neighbour(by: 1 | -1): Cell | null {
    const { rows, columns } = size()
    const at = active.row * columns + active.column + by
    if (at < 0 || at >= rows * columns) return null
    return { row: Math.floor(at / columns), column: at % columns }
  }
  // other lines may stand here, or fewer
  watch(
    () => size().rows,
    (rows) => {
      if (rows && Math.max(active.row, head.row) >= rows) stand(active)
    },
  )
  return { active, head, editing, block, several, stand, extend, neighbour }
}
