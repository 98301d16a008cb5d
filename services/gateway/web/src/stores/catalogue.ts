// Which kinds this session may work with, and the pages they declare: the menu and the addresses come from it.
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { kinds as calls } from '@/api/calls'
import type { KindBrief, Label } from '@/api/types'
import { declaredPage, menuOf } from '@/pages'

export const useCatalogue = defineStore('catalogue', () => {
  const kinds = shallowRef<KindBrief[]>([])
  const failure = shallowRef<unknown>(null)
  const ready = shallowRef(false)
  let coming: Promise<void> | null = null

  /** Fetched once for each session; a failure is kept for the menu to tell, and the next page asks again. */
  function load(): Promise<void> {
    coming ??= calls
      .list()
      .then(({ items }) => {
        kinds.value = items
        failure.value = null
        ready.value = true
      })
      .catch((error: unknown) => {
        failure.value = error
        coming = null
        throw error
      })
    return coming
  }
  function forget(): void {
    coming = null
    ready.value = false
    kinds.value = []
    failure.value = null
  }
  const menu = computed(() => menuOf(kinds.value))
  const page = (id: string) => declaredPage(kinds.value, id)
  const kindTitle = (kind: string): Label | undefined => kinds.value.find((one) => one.kind === kind)?.title

  return { kinds, failure, ready, menu, page, kindTitle, load, forget }
})
