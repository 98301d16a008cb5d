// Who else has this document's form open, and whether somebody has saved it since it was read. A note, never a lock.
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { documents } from '@/api/calls'
import { wasAborted } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import type { Editor } from '@/api/types'
import { useLiveEvents } from '@/stores/live'
import { useSession } from '@/stores/session'
import type { useForm } from './useForm'

const EVERY_MS = 15_000

export function useEditors(kind: string, model: ReturnType<typeof useForm>) {
  const session = useSession()
  const editors = shallowRef<Editor[]>([])
  const seen = ref(0)
  let timer: ReturnType<typeof setTimeout> | undefined
  let ended = false

  async function report(): Promise<void> {
    clearTimeout(timer)
    const id = model.doc.value?.id
    if (!id || ended || !session.may('document.write')) return
    try {
      editors.value = (await documents.editors(kind, id)).items
    } catch (error) {
      // who is there is not known now: nobody is named who may have gone
      if (!(error instanceof ApiProblem) && !wasAborted(error)) throw error
      editors.value = []
    }
    if (!ended) timer = setTimeout(() => void report(), EVERY_MS)
  }
  watch(
    () => model.doc.value?.id,
    () => void report(),
    { immediate: true },
  )
  useLiveEvents({
    states: (of, changes) => {
      const change = of === kind ? changes.find((one) => one.id === model.doc.value?.id) : undefined
      if (!change) return
      seen.value = Math.max(seen.value, change.version)
      void report()
    },
    gap: () => void report(),
  })
  const leave = () => {
    const id = model.doc.value?.id
    if (id && editors.value.length) documents.leaveEditing(kind, id).catch(() => undefined)
  }
  window.addEventListener('pagehide', leave)
  onBeforeUnmount(() => {
    ended = true
    clearTimeout(timer)
    window.removeEventListener('pagehide', leave)
    leave()
  })
  const others = computed(() => editors.value.filter((one) => !one.me))
  /** Somebody saved another version than the one that was read here. */
  const overtaken = computed(() => !model.saving.value && seen.value > (model.doc.value?.version ?? Infinity))
  return { others, overtaken }
}
