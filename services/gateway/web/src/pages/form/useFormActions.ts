// 暂存, 申报, 删除 and printing from a form, with every question and every answer in words.
import { ref, shallowRef } from 'vue'
import { documents } from '@/api/calls'
import type { DocumentFull, Kind } from '@/api/types'
import type { Draft } from '@/lib/drafts'
import { contentFrom, ownContent } from '@/lib/form'
import { leave as handOver } from '@/lib/handover'
import { merge, settle as decide, type Content, type Merge, type Side } from '@/lib/merge'
import { useLeave } from '@/lib/useLeave'
import { useProblem } from '@/lib/useProblem'
import { count, say, t } from '@/locales'
import { detailPath, formPath } from '@/pages'
import { stateDef } from '@/states'
import type { Outcome } from '@/widgets/ResultsDialog.vue'
import type { Question } from './MergeDialog.vue'
import type { useForm } from './useForm'

/** how often one saves again after somebody was faster */
const ATTEMPTS = 3

export function useFormActions(kind: Kind, model: ReturnType<typeof useForm>, path: string) {
  const { leave, goOn } = useLeave()
  const { tell } = useProblem()
  const declaring = ref(false)
  const outcome = shallowRef<Outcome | null>(null)
  /** the document goes on at another address: nothing can be done here any more */
  const moved = ref(false)
  /** two people changed the same fields: what one has to decide */
  const question = shallowRef<Question | null>(null)

  async function ask(message: string, title: string, button: string, danger = false): Promise<boolean> {
    try {
      await ElMessageBox.confirm(message, title, {
        confirmButtonText: button,
        cancelButtonText: t('app.cancel'),
        type: danger ? 'warning' : 'info',
        confirmButtonClass: danger ? 'el-button--danger' : '',
      })
      return true
    } catch {
      return false // called off by the person
    }
  }
  /**
   * Somebody was faster. What both changed at different places goes together; where they changed the same, one is asked.
   * True: the form now stands on their version and can be saved again.
   */
  async function reconcile(): Promise<boolean> {
    const known = model.doc.value
    if (!known || !model.base.value) return false
    const fresh = await documents.read(kind.kind, known.id)
    const edit = kind.actions.find((one) => one.name === 'edit')
    if (edit && !edit.states.includes(fresh.state)) {
      ElMessage({ type: 'warning', message: t('form.staleClosed', { state: say(stateDef(kind, fresh.state).label) }) })
      return false
    }
    return await bring(model.base.value, model.content(), fresh)
  }
  /** Content that began from `base` onto the document as it is stored now; false where a person called it off. */
  async function bring(base: Content, mine: Content, fresh: DocumentFull): Promise<boolean> {
    const own = (content: Content) => ownContent(kind, content)
    const merged = merge(own(base), own(mine), own(contentFrom(kind, fresh.body)))
    const choices = merged.conflicts.length ? await choose(merged) : new Map<string, Side>()
    if (!choices) return false
    model.take(decide(merged, choices), fresh)
    if (merged.taken.length) ElMessage({ type: 'info', message: t('form.merged', { n: count(merged.taken.length) }) })
    return true
  }
  const choose = (merged: Merge): Promise<ReadonlyMap<string, Side> | null> =>
    new Promise((resolve) => {
      question.value = {
        merged,
        answer: (choices) => {
          question.value = null
          resolve(choices)
        },
      }
    })
  function toTop(): void {
    document.getElementById('main')?.scrollTo({ top: 0, behavior: 'smooth' })
  }
  /** Saves quietly; answers whether what stands in the form is now stored. */
  async function store(): Promise<boolean> {
    if (model.saving.value || question.value) return false
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const saved = await model.save()
      if (saved.ok) return true
      if (saved.why === 'stale') {
        if (await reconcile()) continue
        return false
      }
      if (saved.why === 'invalid') toTop()
      else tell(saved.error)
      return false
    }
    ElMessage({ type: 'warning', message: t('form.staleAgain') })
    return false
  }
  /** What was typed before a crash, onto what is stored now. */
  async function restore(draft: Draft): Promise<boolean> {
    const doc = model.doc.value
    if (doc && draft.base && draft.version !== doc.version) return await bring(draft.base, draft, doc)
    model.take(draft, null)
    return true
  }
  /** A new document goes on under its own address: reload, bookmark and tab are then the document's. */
  async function settle(isNew: boolean): Promise<void> {
    const doc = model.doc.value
    if (!isNew || !doc) return
    moved.value = true
    handOver(doc.id, doc.warnings ?? [])
    moved.value = await goOn(path, formPath(kind.kind, doc.id))
  }
  async function save(): Promise<void> {
    const isNew = !model.doc.value
    try {
      if (!(await store())) return
    } catch (error) {
      return tell(error)
    }
    const lacks = model.warnings.value.length
    ElMessage({
      type: lacks ? 'warning' : 'success',
      message: lacks ? t('form.savedLacking', { n: count(lacks) }) : t('form.saved'),
    })
    await settle(isNew)
  }
  async function declare(): Promise<void> {
    const action = kind.actions.find((one) => one.name === 'declare')
    if (!action || declaring.value) return
    const isNew = !model.doc.value
    declaring.value = true
    try {
      if ((isNew || model.dirty.value) && !(await store())) return
      const doc = model.doc.value
      if (!doc) return
      if (model.warnings.value.length) {
        ElMessage({ type: 'warning', message: t('form.declareLacking', { n: count(model.warnings.value.length) }) })
        toTop()
        return await settle(isNew)
      }
      const label = say(action.label)
      const question = [t('action.confirmOne', { number: doc.number, action: label }), say(action.confirm)]
      if (!(await ask(question.filter(Boolean).join('\n'), t('action.confirmTitle', { action: label }), label)))
        return await settle(isNew)
      await file(doc.id, label, doc.number)
    } catch (error) {
      tell(error)
    } finally {
      declaring.value = false
    }
  }
  async function file(id: string, label: string, number: string): Promise<void> {
    const { results } = await documents.act(kind.kind, 'declare', [id])
    const result = results[0]
    if (result?.ok) {
      ElMessage({ type: 'success', message: t('form.declared', { number }) })
      moved.value = true
      moved.value = await goOn(path, detailPath(kind.kind, id))
      return
    }
    const problem = result?.problem
    if (problem?.errors?.length) {
      model.takeErrors(problem.errors, problem.detail ?? '')
      toTop()
    } else outcome.value = { action: 'declare', label, results, numbers: new Map([[id, number]]) }
  }
  async function remove(): Promise<void> {
    const doc = model.doc.value
    const action = kind.actions.find((one) => one.name === 'delete')
    if (!doc || !action) return
    const label = say(action.label)
    const question = t('action.confirmOne', { number: doc.number, action: label })
    if (!(await ask(question, t('action.confirmTitle', { action: label }), label, true))) return
    try {
      const { results } = await documents.act(kind.kind, 'delete', [doc.id])
      if (!results[0]?.ok) {
        outcome.value = { action: 'delete', label, results, numbers: new Map([[doc.id, doc.number]]) }
        return
      }
      ElMessage({ type: 'success', message: t('form.deleted', { number: doc.number }) })
      await leave(path)
    } catch (error) {
      tell(error)
    }
  }
  async function print(): Promise<void> {
    const doc = model.doc.value
    if (!doc) return
    try {
      await documents.print(kind.kind, doc.id, `${doc.number || kind.kind}.pdf`)
    } catch (error) {
      tell(error)
    }
  }
  return { declaring, outcome, moved, question, save, declare, remove, print, restore }
}
