// The part of the grid that is in view, as it scrolls and as its room changes.
import { computed, nextTick, onActivated, onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue'
import type { Field } from '@/api/types'
import { NUMBER, TOOLS, widthOf, type GridColumn } from './columns'
import { columnsIn, leftsOf, rowsIn, scrolledTo } from './window'

/** before anything is measured */
const ROOM = { width: 1100, height: 480 }

interface Size {
  fields: () => readonly Field[]
  rows: () => number
  /** the cell with the control: it stays on the page when it is scrolled out of view, with what is typed in it */
  active: { row: number; column: number }
  footer: () => boolean
}

export function useViewport(scroller: Ref<HTMLElement | undefined>, size: Size) {
  const top = ref(0)
  const left = ref(0)
  const width = ref(ROOM.width)
  const height = ref(ROOM.height)
  const rowHeight = ref(32)

  const roomX = computed(() => Math.max(0, width.value - NUMBER - TOOLS))
  const roomY = computed(() => Math.max(0, height.value - rowHeight.value * (size.footer() ? 2 : 1)))
  const lefts = computed(() => leftsOf(size.fields().map(widthOf), roomX.value))
  const total = computed(() => NUMBER + (lefts.value.at(-1) ?? 0) + TOOLS)

  /** with what stays above and below the lines, and a bar to scroll sideways where one is needed */
  const wanted = computed(
    () => rowHeight.value * (size.rows() + (size.footer() ? 2 : 1)) + (total.value > width.value ? 18 : 1),
  )

  const rowSpan = computed(() => rowsIn(top.value, roomY.value, rowHeight.value, size.rows()))
  const columnSpan = computed(() => columnsIn(left.value, roomX.value, lefts.value))
  // bare numbers: what did not move draws nothing anew
  const fromRow = computed(() => rowSpan.value.from)
  const toRow = computed(() => rowSpan.value.to)
  const fromColumn = computed(() => columnSpan.value.from)
  const toColumn = computed(() => columnSpan.value.to)
  const farColumn = computed(() => {
    const { column } = size.active
    return column >= fromColumn.value && column < toColumn.value ? -1 : column
  })
  const indexes = (from: number, to: number, more: number, count: number): number[] => {
    const span = Array.from({ length: to - from }, (_, i) => from + i)
    if (more < 0 || more >= count || (more >= from && more < to)) return span
    return more < from ? [more, ...span] : [...span, more]
  }
  const rows = computed(() => indexes(fromRow.value, toRow.value, size.active.row, size.rows()))
  const columns = computed<GridColumn[]>(() =>
    indexes(fromColumn.value, toColumn.value, farColumn.value, size.fields().length).map((index) => ({
      field: size.fields()[index] as Field,
      index,
      left: NUMBER + (lefts.value[index] as number),
      width: (lefts.value[index + 1] as number) - (lefts.value[index] as number),
    })),
  )

  function onScroll(): void {
    if (!scroller.value) return
    top.value = scroller.value.scrollTop
    left.value = scroller.value.scrollLeft
  }
  /** Scrolls no further than needed; the window follows at once, not with the scroll event. */
  function show(row: number, column: number): void {
    const box = scroller.value
    if (!box) return
    const at = lefts.value[column] ?? 0
    top.value = scrolledTo(row * rowHeight.value, rowHeight.value, top.value, roomY.value)
    left.value = scrolledTo(at, (lefts.value[column + 1] ?? at) - at, left.value, roomX.value)
    void nextTick(() => {
      if (box.scrollTop === top.value && box.scrollLeft === left.value) return
      box.scrollTop = top.value
      box.scrollLeft = left.value
      onScroll()
    })
  }
  function measure(): void {
    const box = scroller.value
    if (!box?.clientHeight) return
    rowHeight.value = parseInt(getComputedStyle(box).getPropertyValue('--tg-row')) || rowHeight.value
    width.value = box.clientWidth
    height.value = box.clientHeight
  }
  let observer: ResizeObserver | undefined
  watch(scroller, (box) => {
    observer?.disconnect()
    if (box) observer?.observe(box)
    measure()
    onScroll()
  })
  // more or fewer lines: the room changes with them, before one goes on
  watch(wanted, measure, { flush: 'post' })
  onMounted(() => {
    observer = new ResizeObserver(measure)
    if (scroller.value) observer.observe(scroller.value)
    measure()
  })
  // a tab that comes back has lost where it was scrolled to
  onActivated(() => {
    if (!scroller.value) return
    scroller.value.scrollTop = top.value
    scroller.value.scrollLeft = left.value
    measure()
  })
  onBeforeUnmount(() => observer?.disconnect())

  const pageRows = computed(() => Math.max(1, Math.floor(roomY.value / rowHeight.value) - 1))
  return { rows, columns, total, wanted, rowHeight, pageRows, onScroll, show }
}
