// The rows of a long plain table that are in view. Short ones are simply there, each as high as its words need; of long
// ones every row has the same height, and only those in view are on the page.
import { computed, ref, watch, type Ref } from 'vue'
import { rowSpan, sameSpan, type Span } from './span'

/** more rows than this and they are drawn as one scrolls */
export const MANY = 100
/** before it is measured */
const ROOM = 420

export function useRowWindow<T>(box: Ref<HTMLElement | undefined>, rows: () => readonly T[], height: () => number) {
  const top = ref(0)
  const room = ref(ROOM)
  const isLong = computed(() => rows().length > MANY)
  const span = computed<Span>((before) => {
    const all = rows().length
    const now = isLong.value ? rowSpan(top.value, room.value, height(), all) : { from: 0, to: all }
    return before && sameSpan(before, now) ? before : now
  })
  const shown = computed(() => rows().slice(span.value.from, span.value.to))
  function onScroll(): void {
    if (!box.value) return
    top.value = box.value.scrollTop
    room.value = box.value.clientHeight || ROOM
  }
  // other rows: one begins to read at the top
  watch(rows, () => {
    if (box.value) box.value.scrollTop = 0
    onScroll()
  })
  return {
    isLong,
    shown,
    from: computed(() => span.value.from),
    /** px of what is not drawn above and below */
    above: computed(() => span.value.from * height()),
    below: computed(() => (rows().length - span.value.to) * height()),
    onScroll,
  }
}
