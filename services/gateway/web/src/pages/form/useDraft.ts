// What is typed stays in this browser until it is saved; after a crash the form offers it again.
import { onBeforeUnmount, shallowRef, watch } from 'vue'
import { serverNow } from '@/api/client'
import type { Kind } from '@/api/types'
import { draftKey, forgetDraft, keepDraft, readDraft, type Draft, type Owner } from '@/lib/drafts'
import { ownContent } from '@/lib/form'
import { merge, type Taken } from '@/lib/merge'
import { useSession } from '@/stores/session'
import type { useForm } from './useForm'

const PAUSE = 400

export interface Offer {
  draft: Draft
  /** what it changes in what is shown now */
  changes: Taken[]
  /** the stored document is another one than the draft began from */
  moved: boolean
}

export function useDraft(kind: Kind, model: ReturnType<typeof useForm>) {
  const session = useSession()
  const owner = (): Owner | null => {
    const info = session.info
    return info && { tenant: info.client?.id ?? info.tenant.id, user: info.user.id }
  }
  const mine = owner()
  const place = () => (mine ? draftKey(mine, kind.kind, model.doc.value?.id ?? 'new') : '')
  const offer = shallowRef<Offer | null>(null)
  /** it is too large, or the browser keeps nothing: then it is said */
  const unkept = shallowRef(false)
  let kept = ''
  let timer: ReturnType<typeof setTimeout> | undefined

  const shown = () => ownContent(kind, model.content())
  /** Looked for once, when the form is there; what is not decided yet is not written over. */
  function look(): void {
    const draft = readDraft(place())
    if (!draft) return
    const changes = merge(shown(), shown(), draft).taken
    if (!changes.length) return forgetDraft(place())
    kept = place()
    offer.value = { draft, changes, moved: draft.version !== (model.doc.value?.version ?? null) }
  }
  function write(): void {
    clearTimeout(timer)
    timer = undefined
    if (!mine || !model.dirty.value || offer.value) return
    if (kept && kept !== place()) forgetDraft(kept)
    kept = place()
    const base = model.base.value
    unkept.value = !keepDraft(kept, {
      ...model.content(),
      at: serverNow(),
      version: model.doc.value?.version ?? null,
      base: base && ownContent(kind, base),
    })
  }
  function forget(): void {
    clearTimeout(timer)
    timer = undefined
    if (kept) forgetDraft(kept)
    kept = ''
    offer.value = null
  }
  watch(model.edits, () => {
    clearTimeout(timer)
    timer = setTimeout(write, PAUSE)
  })
  watch(model.dirty, (dirty) => {
    if (!dirty && !offer.value) forget()
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
    if (now && mine && now.user === mine.user && now.tenant === mine.tenant && !offer.value) forget()
  })
  return { offer, unkept, look, forget }
}
