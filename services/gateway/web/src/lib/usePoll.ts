// Asking again and again while somebody can see the page: what nothing tells live. One question at a time.
import { onActivated, onBeforeUnmount, onDeactivated, onMounted } from 'vue'

export const EVERY_MS = 5_000

export function usePoll(ask: () => Promise<unknown>, every = EVERY_MS): void {
  let shown = true
  let asking = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const seen = () => shown && document.visibilityState === 'visible'

  function later(): void {
    clearTimeout(timer)
    timer = seen() ? setTimeout(() => void now(), every) : undefined
  }
  async function now(): Promise<void> {
    if (asking || !seen()) return
    asking = true
    try {
      await ask()
    } finally {
      asking = false
      later()
    }
  }
  /** Back in front: what happened meanwhile is asked for at once. */
  const look = () => (seen() ? void now() : clearTimeout(timer))
  let away = false
  onMounted(() => {
    document.addEventListener('visibilitychange', look)
    later()
  })
  onActivated(() => {
    shown = true
    if (away) look()
    away = false
  })
  onDeactivated(() => {
    shown = false
    away = true
    clearTimeout(timer)
  })
  onBeforeUnmount(() => {
    shown = false
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  })
}
