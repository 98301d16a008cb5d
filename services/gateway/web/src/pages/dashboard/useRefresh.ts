// When the dashboard asks again: after live events, at most every ten seconds, and only while somebody can see it.
import { onActivated, onBeforeUnmount, onDeactivated, onMounted } from 'vue'
import { useLiveEvents } from '@/stores/live'

export const EVERY_MS = 10_000
/** without any event: what is overdue becomes so by the clock alone, and a day ends */
const ANYWAY_MS = 60_000

export function useRefresh(refresh: () => void): { done: () => void } {
  let last = 0
  let shown = true
  let due = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const seen = () => shown && document.visibilityState === 'visible'

  function look(): void {
    clearTimeout(timer)
    timer = undefined
    if (!seen()) return
    const wait = (due ? EVERY_MS : ANYWAY_MS) - (Date.now() - last)
    if (wait > 0) {
      timer = setTimeout(look, wait)
      return
    }
    done()
    refresh()
  }
  /** Somebody asked by hand: the time counts from now. */
  function done(): void {
    last = Date.now()
    due = false
    clearTimeout(timer)
    timer = seen() ? setTimeout(look, ANYWAY_MS) : undefined
  }
  function happened(): void {
    due = true
    look()
  }
  useLiveEvents({ states: happened, progress: (progress) => progress.state === 'done' && happened(), gap: happened })
  onMounted(() => document.addEventListener('visibilitychange', look))
  onActivated(() => {
    shown = true
    look()
  })
  onDeactivated(() => {
    shown = false
    clearTimeout(timer)
  })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  })
  return { done }
}
