// What of a scrolled box is in view. Kept through tab changes: a box that leaves the page forgets where it was scrolled to.
import { onActivated, onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** before it is measured: what a clerk's screen has room for */
const GUESS = { width: 1130, height: 520, row: 32 }

/** row: an element as high as a row, which is given by the design's token and may change at any time */
export function useViewport(box: Ref<HTMLElement | undefined>, row: Ref<HTMLElement | undefined>) {
  const top = ref(0)
  const left = ref(0)
  const width = ref(GUESS.width)
  const height = ref(GUESS.height)
  const rowHeight = ref(GUESS.row)
  let observer: ResizeObserver | null = null

  function measure(): void {
    // a page in a tab that is not shown measures nothing: what it was stays
    if (box.value?.clientHeight) {
      width.value = box.value.clientWidth
      height.value = box.value.clientHeight
    }
    if (!row.value?.offsetHeight) return
    const before = rowHeight.value
    rowHeight.value = row.value.offsetHeight
    if (before !== rowHeight.value && top.value) to((top.value / before) * rowHeight.value, left.value)
  }
  function onScroll(): void {
    if (!box.value?.isConnected) return
    top.value = box.value.scrollTop
    left.value = box.value.scrollLeft
  }
  function to(newTop: number, newLeft: number): void {
    if (!box.value) return
    box.value.scrollTop = newTop
    box.value.scrollLeft = newLeft
    onScroll()
  }
  onMounted(() => {
    measure()
    observer = new ResizeObserver(measure)
    if (box.value) observer.observe(box.value)
    if (row.value) observer.observe(row.value)
  })
  onActivated(() => {
    const [was, aside] = [top.value, left.value]
    to(was, aside)
  })
  onBeforeUnmount(() => observer?.disconnect())
  return { top, left, width, height, rowHeight, onScroll, to }
}
