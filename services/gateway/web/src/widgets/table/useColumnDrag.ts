// Dragging in the heads of a table: an edge makes the column wider, the head itself carries the column to another place.
import { onBeforeUnmount, ref } from 'vue'
import { clampWidth } from '@/lib/columns'
import type { PlacedColumn } from './layout'

/** px a head is moved before it is taken for dragging and no longer for a click */
const TAKEN = 6

export interface ColumnDragOptions {
  all: () => readonly PlacedColumn[]
  /** x of a pointer among the columns as they stand now */
  x: (clientX: number, pinned: boolean) => number
  resize: (name: string, width: number) => void
  move: (name: string, by: number) => void
}

export function useColumnDrag({ all, x, resize, move }: ColumnDragOptions) {
  /** while an edge is held */
  const sizing = ref<{ name: string; width: number } | null>(null)
  /** while a head is carried: where it would be put down */
  const moving = ref<{ name: string; to: number; line: number } | null>(null)
  /** the click that ends a drag is none */
  let dragged = false
  let stop: (() => void) | null = null

  function follow(onMove: (event: PointerEvent) => void, onEnd: (done: boolean) => void): void {
    stop?.()
    const end = (done: boolean) => {
      stop?.()
      onEnd(done)
    }
    const up = () => end(true)
    const escape = (event: KeyboardEvent) => {
      if (event.key === 'Escape') end(false)
    }
    window.addEventListener('pointermove', onMove)
    window.addEventListener('pointerup', up)
    window.addEventListener('keydown', escape, true)
    stop = () => {
      window.removeEventListener('pointermove', onMove)
      window.removeEventListener('pointerup', up)
      window.removeEventListener('keydown', escape, true)
      stop = null
    }
  }
  function takeEdge(event: PointerEvent, { column, width }: PlacedColumn): void {
    if (event.button !== 0) return
    event.preventDefault()
    const start = event.clientX
    dragged = false
    follow(
      (now) => {
        dragged = true
        sizing.value = { name: column.name, width: clampWidth(width + now.clientX - start) }
      },
      (done) => {
        const held = sizing.value
        sizing.value = null
        if (done && held) resize(held.name, held.width)
      },
    )
  }
  function takeHead(event: PointerEvent, taken: PlacedColumn): void {
    if (event.button !== 0) return
    const start = event.clientX
    dragged = false
    follow(
      (now) => {
        if (!moving.value && Math.abs(now.clientX - start) < TAKEN) return
        dragged = true
        moving.value = target(taken, x(now.clientX, !!taken.column.fixed))
      },
      (done) => {
        const to = moving.value
        moving.value = null
        if (done && to && to.to !== taken.at) move(to.name, to.to - taken.at)
      },
    )
  }
  /** The place nearest to x among those that stand with it, pinned or not. */
  function target({ column, at }: PlacedColumn, here: number) {
    const group = all().filter((one) => one.column.fixed === column.fixed)
    const over = group.find((one) => here < one.left + one.width / 2)
    const last = group.at(-1)
    const before = over ? over.at : (last?.at ?? at) + 1
    const line = over ? over.left : (last?.left ?? 0) + (last?.width ?? 0)
    return { name: column.name, to: before > at ? before - 1 : before, line }
  }
  onBeforeUnmount(() => stop?.())
  return { sizing, moving, takeEdge, takeHead, wasDrag: () => dragged }
}
