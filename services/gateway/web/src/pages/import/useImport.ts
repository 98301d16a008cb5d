// The life of one import on the page: sent, read, judged, kept or discarded. Progress comes live; where the stream is
// silent, asking again at growing pauses makes sure that the result is seen.
import { computed, onBeforeUnmount, ref, shallowRef } from 'vue'
import { imports } from '@/api/calls'
import { wasAborted } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import type { ImportProgress, ImportState, ImportTask } from '@/api/types'
import { useLiveEvents } from '@/stores/live'

export const RUNNING: readonly ImportState[] = ['waiting', 'reading', 'storing']
/** what a person decides about it */
export type Resolving = 'keep' | 'discard' | 'retry'
const FIRST_ASK = 700
const LONGEST_ASK = 5000

export function useImport(onChange: () => void) {
  const task = shallowRef<ImportTask | null>(null)
  /** share of the file sent, while sending */
  const sent = ref<number | null>(null)
  const failure = shallowRef<unknown>(null)
  const resolving = ref<Resolving | null>(null)
  let sending: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let pause = FIRST_ASK
  const others = new Map<string, ImportState>() // imports of colleagues: the list below is read again only when one changes state

  const running = computed(() => !!task.value && RUNNING.includes(task.value.state))

  function take(next: ImportTask): void {
    const before = task.value
    task.value = next
    if (before?.state !== next.state) onChange()
    clearTimeout(timer)
    if (!RUNNING.includes(next.state)) return
    timer = setTimeout(() => {
      pause = Math.min(pause * 1.5, LONGEST_ASK)
      void ask()
    }, pause)
  }
  async function ask(id = task.value?.id): Promise<void> {
    if (!id) return
    try {
      const next = await imports.read(id)
      failure.value = null
      if (!task.value || task.value.id === id) take(next)
    } catch (error) {
      // while it is being read the next question may succeed; only what can never succeed ends the asking
      const lasting = error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429
      if (lasting || !task.value) failure.value = error
      else timer = setTimeout(() => void ask(id), LONGEST_ASK)
    }
  }
  async function start(form: FormData): Promise<void> {
    close()
    sending = new AbortController()
    sent.value = 0
    try {
      const { id } = await imports.start(
        form,
        (share) => {
          sent.value = share
        },
        sending.signal,
      )
      pause = FIRST_ASK
      await ask(id)
    } catch (error) {
      if (!wasAborted(error)) failure.value = error
    } finally {
      sent.value = null
    }
  }
  async function resolve(how: Resolving): Promise<boolean> {
    const now = task.value
    if (!now) return false
    resolving.value = how
    try {
      if (how === 'keep') await imports.keepValid(now.id)
      else if (how === 'retry') await imports.retry(now.id)
      else await imports.discard(now.id)
      pause = FIRST_ASK
      await ask(now.id)
      return true
    } finally {
      resolving.value = null
    }
  }
  function close(): void {
    clearTimeout(timer)
    task.value = null
    failure.value = null
  }
  useLiveEvents({
    progress: (progress: ImportProgress) => {
      const now = task.value
      if (progress.id !== now?.id) {
        if (others.get(progress.id) !== progress.state) onChange()
        others.set(progress.id, progress.state)
        return
      }
      if (!RUNNING.includes(progress.state)) return void ask()
      take({ ...now, ...progress })
    },
    gap: () => {
      if (running.value) void ask()
    },
  })
  onBeforeUnmount(() => clearTimeout(timer))

  return {
    task,
    sent,
    failure,
    running,
    resolving,
    start,
    resolve,
    close,
    open: (id: string) => {
      close()
      return ask(id)
    },
    cancelUpload: () => sending?.abort(),
  }
}
