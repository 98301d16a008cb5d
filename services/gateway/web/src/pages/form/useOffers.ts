// What was typed at this place and never saved, by this person, in a window that is gone: offered until it is decided.
import { onBeforeUnmount, shallowRef } from 'vue'
import type { Kind } from '@/api/types'
import { draftsAt, forgetDraft, readDraft, type Draft } from '@/lib/drafts'
import { whenFree } from '@/lib/draftLock'
import { merge, type Taken } from '@/lib/merge'
import { ownContent } from '@/lib/form'
import type { useForm } from './useForm'

export interface Offer {
  key: string
  draft: Draft
  /** what it changes in what is shown now */
  changes: Taken[]
  /** the stored document is another one than the draft began from */
  moved: boolean
}

/** place: where its drafts are kept ('' = nowhere). isOwn: what is being typed here is no offer. */
export function useOffers(
  kind: Kind,
  model: ReturnType<typeof useForm>,
  place: () => string,
  isOwn: (key: string) => boolean,
) {
  const offers = shallowRef<Offer[]>([])
  const empty = ownContent(kind, model.content())
  const waited = new Set<string>()
  const gone = new AbortController()
  const without = (key: string) => offers.value.filter((offer) => offer.key !== key)

  /** Looks at all drafts of the place; those that another window still types are offered when it is gone. */
  function look(): void {
    if (!place()) return
    offers.value = offers.value.filter((offer) => readDraft(offer.key))
    for (const key of draftsAt(place())) {
      if (isOwn(key) || waited.has(key)) continue
      waited.add(key)
      whenFree(key, () => add(key), gone.signal)
    }
  }
  function add(key: string): void {
    waited.delete(key)
    const draft = readDraft(key)
    if (!draft || isOwn(key) || gone.signal.aborted) return
    const shown = model.base.value ? ownContent(kind, model.base.value) : empty
    const changes = merge(shown, shown, draft).taken
    if (!changes.length) return forgetDraft(key)
    const offer = { key, draft, changes, moved: draft.version !== (model.doc.value?.version ?? null) }
    offers.value = [...without(key), offer].sort((a, b) => (a.draft.at < b.draft.at ? 1 : -1))
  }
  function discard(key: string): void {
    forgetDraft(key)
    offers.value = without(key)
  }
  // decided, typed or saved in another window
  const elsewhere = (event: StorageEvent) => {
    if (event.key?.startsWith(place())) look()
  }
  window.addEventListener('storage', elsewhere)
  onBeforeUnmount(() => {
    gone.abort()
    window.removeEventListener('storage', elsewhere)
  })
  return { offers, look, discard }
}
