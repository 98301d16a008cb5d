// The kind declarations the pages are drawn from; each is fetched once.
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { kinds as calls } from '@/api/calls'
import type { Field, Kind } from '@/api/types'

export const useKinds = defineStore('kinds', () => {
  const known = shallowReactive(new Map<string, Kind>())
  const coming = new Map<string, Promise<Kind>>()

  function load(kind: string): Promise<Kind> {
    const have = known.get(kind)
    if (have) return Promise.resolve(have)
    let call = coming.get(kind)
    if (!call) {
      call = calls
        .read(kind)
        .then((answer) => {
          known.set(kind, answer)
          return answer
        })
        .finally(() => coming.delete(kind))
      coming.set(kind, call)
    }
    return call
  }
  /** Who may see which kinds differs by session. */
  function forget(): void {
    known.clear()
    coming.clear()
  }

  return { known, load, forget }
})

export const fieldOf = (kind: Kind | undefined, name: string): Field | undefined =>
  kind?.head.find((f) => f.name === name)
