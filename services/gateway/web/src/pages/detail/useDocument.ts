// One document with its timeline and receipts, kept current by live events.
import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { documents } from '@/api/calls'
import { ApiProblem } from '@/api/problem'
import type { DocumentFull, Receipt, TimelineItem } from '@/api/types'
import { language } from '@/locales'
import { patchRow } from '@/lib/patch'
import { useLiveEvents } from '@/stores/live'

const SETTLE_MS = 250

export function useDocument(kind: string, id: string) {
  const doc = shallowRef<DocumentFull | null>(null)
  const timeline = shallowRef<TimelineItem[]>([])
  const receipts = shallowRef<Receipt[]>([])
  const failure = shallowRef<unknown>(null)
  const gone = ref(false)
  const busy = ref(false)
  const flash = ref(false)
  let asked = 0
  let overtaken = false
  let timer: ReturnType<typeof setTimeout> | undefined

  /** Quietly = what is shown stays until the answer is there, and also when there is none. */
  async function load(quietly = false): Promise<void> {
    const mine = ++asked
    busy.value = true
    try {
      const [full, times, answers] = await Promise.all([
        documents.read(kind, id),
        documents.timeline(kind, id),
        documents.receipts(kind, id),
      ])
      if (mine !== asked) return
      doc.value = full
      timeline.value = times.items
      receipts.value = answers.items
      failure.value = null
    } catch (error) {
      if (mine !== asked) return
      if (quietly && error instanceof ApiProblem && error.status === 404) gone.value = true
      else if (!quietly) failure.value = error
    } finally {
      if (mine === asked) {
        busy.value = false
        if (overtaken) soon()
        overtaken = false
      }
    }
  }
  function soon(): void {
    clearTimeout(timer)
    timer = setTimeout(() => void load(true), SETTLE_MS)
  }
  useLiveEvents({
    states: (of, changes) => {
      const change = of === kind ? changes.find((c) => c.id === id) : undefined
      if (!change) return
      // heard while the answer is still on its way, which may be older: asked again after it
      if (busy.value) overtaken = true
      if (!doc.value) return
      if (change.version >= doc.value.version && change.state !== doc.value.state) {
        doc.value = patchRow(doc.value, change)
        flash.value = true
        setTimeout(() => {
          flash.value = false
        }, 1600)
      }
      soon()
    },
    gap: soon,
  })
  watch(language, soon) // words of the timeline come from the server, in the caller's language
  onBeforeUnmount(() => clearTimeout(timer))
  void load()
  return { doc, timeline, receipts, failure, gone, busy, flash, load, soon }
}
