// What is typed stays in this browser until it is saved; after a crash the form offers it again. Each open form keeps a
// draft of its own, so that two windows at one place, or what is offered and not decided yet, never write over each other.
import { onBeforeUnmount, shallowRef, watch } from 'vue'
import { serverNow } from '@/api/client'
import type { Kind } from '@/api/types'
import { hold } from '@/lib/draftLock'
import { draftKey, draftPlace, forgetDraft, keepDraft, newDraftId, type Draft, type Owner } from '@/lib/drafts'
import { ownContent } from '@/lib/form'
import { useSession } from '@/stores/session'
import type { useForm } from './useForm'
import { useOffers, type Offer } from './useOffers'

const PAUSE = 400

export function useDraft(kind: Kind, model: ReturnType<typeof useForm>) {
  const session = useSession()
  const owner = (): Owner | null => {
    const info = session.info
    return info && { tenant: info.client?.id ?? info.tenant.id, user: info.user.id }
  }
  const mine = owner()
  const place = () => (mine ? draftPlace(mine, kind.kind, model.doc.value?.id ?? 'new') : '')
  /** it is too large, or the browser keeps nothing: then it is said */
  const unkept = shallowRef(false)
  /** where what is typed here is kept; '' = nothing is */
  let kept = ''
  let id = ''
  let letGo: () => void
  let timer: ReturnType<typeof setTimeout> | undefined
  function begin(): void {
    kept = ''
    id = newDraftId()
    letGo = hold(draftKey(place(), id))
  }
  begin()
  const own = () => draftKey(place(), id)
  const { offers, look, discard } = useOffers(kind, model, place, (key) => key === own())

  function write(): void {
    clearTimeout(timer)
    timer = undefined
    if (!mine || !model.dirty.value) return
    const before = kept
    kept = own()
    const base = model.base.value
    unkept.value = !keepDraft(kept, {
      ...model.content(),
      at: serverNow(),
      version: model.doc.value?.version ?? null,
      base: base && ownContent(kind, base),
    })
    if (!before || before === kept) return
    // what began as new is stored by now: its draft has another place
    forgetDraft(before)
    letGo()
    letGo = hold(kept)
  }
  function forget(): void {
    clearTimeout(timer)
    timer = undefined
    if (kept) forgetDraft(kept)
    kept = ''
  }
  /**
   * Puts what is offered into the form by `put`, which says whether it did. What was typed here before is then offered in
   * its turn; and what was offered goes only when it is kept as what is typed now.
   */
  async function restore(offer: Offer, put: (draft: Draft) => Promise<boolean>): Promise<void> {
    write()
    if (!(await put(offer.draft))) return
    const before = kept
    const letGoBefore = letGo
    begin()
    write()
    letGoBefore()
    if (before !== kept && !unkept.value) discard(offer.key)
    look()
  }
  watch(model.edits, () => {
    clearTimeout(timer)
    timer = setTimeout(write, PAUSE)
  })
  watch(model.dirty, (dirty) => {
    if (!dirty) forget()
  })
  const flush = () => {
    if (timer) write()
  }
  window.addEventListener('pagehide', flush)
  document.addEventListener('visibilitychange', flush)
  onBeforeUnmount(() => {
    window.removeEventListener('pagehide', flush)
    document.removeEventListener('visibilitychange', flush)
    flush()
    const now = owner()
    // closed by the one who typed it, who was asked; a session that ended or went to another client asked nobody
    if (now && mine && now.user === mine.user && now.tenant === mine.tenant) forget()
    letGo()
  })
  return { offers, unkept, look, discard, restore }
}
