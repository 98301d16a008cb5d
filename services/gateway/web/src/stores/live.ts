// Hands live events to whichever pages listen. After a gap the pages fetch again: an event missed is not an event lost.
import { defineStore } from 'pinia'
import { onBeforeUnmount, ref } from 'vue'
import { buildUrl } from '@/api/client'
import type { ImportProgress, StateChange } from '@/api/types'
import { openStream, type Stream } from '@/lib/sse'
import { useSession } from './session'

export interface LiveHandlers {
  states?: (kind: string, changes: StateChange[]) => void
  progress?: (progress: ImportProgress) => void
  exported?: (progress: { id: string; kind: string; state: string }) => void
  gap?: () => void
}

export const useLive = defineStore('live', () => {
  const connected = ref(true)
  const running = ref(false)
  const listeners = new Set<LiveHandlers>()
  let stream: Stream | null = null

  function start(): void {
    stop()
    running.value = true
    stream = openStream(buildUrl('/events'), {
      events: {
        'document.state': (data) => {
          const { kind, changes } = data as { kind: string; changes: StateChange[] }
          listeners.forEach((l) => l.states?.(kind, changes))
        },
        'import.progress': (data) => listeners.forEach((l) => l.progress?.(data as ImportProgress)),
        'export.progress': (data) =>
          listeners.forEach((l) => l.exported?.(data as { id: string; kind: string; state: string })),
      },
      open: (again) => {
        connected.value = true
        if (again) listeners.forEach((l) => l.gap?.())
      },
      // the stream cannot say why it was refused; the session can
      lost: (times) => {
        connected.value = false
        if (times === 3) void useSession().check()
      },
    })
  }
  function stop(): void {
    stream?.close()
    stream = null
    connected.value = true
    running.value = false
  }
  function listen(handlers: LiveHandlers): () => void {
    listeners.add(handlers)
    return () => listeners.delete(handlers)
  }
  return { connected, running, start, stop, listen }
})

/** Listens for as long as the component lives, also while its tab is in the background. */
export function useLiveEvents(handlers: LiveHandlers): void {
  onBeforeUnmount(useLive().listen(handlers))
}
