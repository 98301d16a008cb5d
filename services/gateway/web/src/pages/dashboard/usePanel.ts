// The numbers of one panel: fetched, kept on the glass while newer ones are on their way, told when they cannot be had.
import { ref, shallowRef } from 'vue'

export function usePanel<T>(fetch: () => Promise<T>) {
  const data = shallowRef<T>()
  const failure = shallowRef<unknown>(null)
  const busy = ref(false)
  let turn = 0

  /** afresh: what is shown answers another question and goes at once. */
  async function load(afresh = false): Promise<void> {
    const mine = ++turn
    if (afresh) data.value = undefined
    busy.value = true
    try {
      const found = await fetch()
      if (mine !== turn) return
      data.value = found
      failure.value = null
    } catch (error) {
      if (mine === turn) failure.value = error
    } finally {
      if (mine === turn) busy.value = false
    }
  }
  return { data, failure, busy, load }
}
export type Panel<T> = ReturnType<typeof usePanel<T>>
