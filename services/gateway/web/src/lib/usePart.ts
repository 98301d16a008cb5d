// One part of a page with a call of its own: what it fails at is told in its place, the rest of the page stands.
import { ref, shallowRef } from 'vue'

export function usePart<T>(call: () => Promise<T>) {
  const data = shallowRef<T | null>(null)
  const failure = shallowRef<unknown>(null)
  const busy = ref(false)
  let asked = 0

  /** Quietly: what is shown stays when there is no answer. */
  async function load(quietly = false): Promise<void> {
    const mine = ++asked
    busy.value = true
    try {
      const answer = await call()
      if (mine !== asked) return
      data.value = answer
      failure.value = null
    } catch (error) {
      if (mine === asked && !(quietly && data.value)) failure.value = error
    } finally {
      if (mine === asked) busy.value = false
    }
  }
  return { data, failure, busy, load }
}
export type Part<T> = ReturnType<typeof usePart<T>>
