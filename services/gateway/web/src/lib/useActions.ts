// Doing an action on documents: is it possible, are you sure, what came of it. The same on query and detail pages.
// What changes a document leads to its form: editing at once, amending after the server made the new version.
import { onBeforeUnmount, ref, shallowRef } from 'vue'
import { useRouter } from 'vue-router'
import { documents } from '@/api/calls'
import { problemWords } from '@/api/problem'
import type { ActionDef, ActionResult, DocumentRow, Kind } from '@/api/types'
import { count, inside, listed, say, t } from '@/locales'
import { formPath, siblingPath } from '@/pages'
import { useCatalogue } from '@/stores/catalogue'
import { stateDef } from '@/states'
import { useSession } from '@/stores/session'
import type { Outcome } from '@/widgets/ResultsDialog.vue'
import { fitOf, MOST_IDS } from './actions'
import { PART, partsOf } from './outcome'
import { useProblem } from './useProblem'

type Row = Pick<DocumentRow, 'id' | 'number' | 'state'>

export function useActions(kind: () => Kind | undefined) {
  const session = useSession()
  const router = useRouter()
  const catalogue = useCatalogue()
  const { tell } = useProblem()
  const working = ref('')
  const outcome = shallowRef<Outcome | null>(null)
  let stopped = false
  const stopAsking = () => {
    stopped = true
  }
  // nobody is there any more to read what the rest would answer
  onBeforeUnmount(stopAsking)

  /** Why the action cannot be done with these rows, or null. */
  function whyNot(action: ActionDef, rows: readonly Row[]): string | null {
    const label = say(action.label)
    const { why } = fitOf(action, rows, session.may(action.permission))
    if (why === null) return null
    if (why === 'permission') return t('action.needPermission', { action: label })
    if (why === 'selection') return t('action.needSelection')
    if (why === 'single') return t('action.onlyOne', { action: label })
    if (why === 'many') return t('action.tooMany', { n: count(rows.length), most: count(MOST_IDS) })
    const states = listed(action.states.map((name) => say(stateDef(kind(), name).label)))
    return rows.length === 1
      ? t('action.notAllowed', { state: say(stateDef(kind(), rows[0]?.state ?? '').label), action: label })
      : t('action.noneFits', { action: label, states })
  }
  /** "已发送 2 条、海关入库 1 条" */
  function skippedStates(rows: readonly Row[], skip: readonly string[]): string {
    const skipped = new Set(skip)
    const counts = new Map<string, number>()
    for (const row of rows) if (skipped.has(row.id)) counts.set(row.state, (counts.get(row.state) ?? 0) + 1)
    return listed(
      [...counts].map(([state, n]) => t('action.ofState', { state: say(stateDef(kind(), state).label), n: count(n) })),
    )
  }
  function question(action: ActionDef, rows: readonly Row[]): string {
    const label = say(action.label)
    const { skip } = fitOf(action, rows, true)
    const n = count(rows.length)
    if (rows.length === 1)
      return [t('action.confirmOne', { number: rows[0]?.number ?? '', action: label }), say(action.confirm)]
        .filter(Boolean)
        .join('\n')
    const title = inside(kind()?.title ?? '')
    const lines = [
      skip.length
        ? t('action.confirmSome', { n, title, skip: count(skip.length), action: label })
        : t('action.confirmAll', { n, title, action: label }),
    ]
    if (skip.length) lines.push(t('action.skipped', { states: skippedStates(rows, skip) }))
    lines.push(
      t('action.sample', {
        numbers: listed(rows.slice(0, 3).map((row) => row.number)),
      }),
    )
    if (action.confirm) lines.push(say(action.confirm))
    return lines.join('\n')
  }
  /**
   * Many are asked for part by part, so that one sees how far it is and can stop. A part without an answer ends it: what
   * became of its documents is unknown, those after it were not touched.
   */
  async function inParts(
    kind: string,
    action: string,
    rows: readonly Row[],
    told: (results: ActionResult[], pending: number) => Outcome,
  ): Promise<ActionResult[]> {
    const parts = partsOf(rows.map((row) => row.id))
    const results: ActionResult[] = []
    const leave = (ids: string[], detail: string) =>
      results.push(...ids.map((id) => ({ id, ok: false, problem: { detail } })))
    stopped = false
    for (const [at, ids] of parts.entries()) {
      if (stopped) {
        leave(parts.slice(at).flat(), t('action.notAsked'))
        break
      }
      if (parts.length > 1 && (at === 0 || outcome.value))
        outcome.value = { ...told([...results], rows.length - at * PART), stop: stopAsking }
      try {
        results.push(...(await documents.act(kind, action, ids)).results)
      } catch (error) {
        if (parts.length === 1) throw error
        leave(ids, t('action.unknown', { reason: problemWords(error, t).headline }))
        stopped = true
      }
    }
    return results
  }
  /** Asks, does and reports; answers what was done, or null where it was called off or failed. */
  async function perform(action: ActionDef, rows: readonly Row[]): Promise<ActionResult[] | null> {
    const of = kind()
    if (!of || working.value || whyNot(action, rows)) return null
    if (action.name === 'edit') {
      await router.push(formPath(of.kind, rows[0]?.id))
      return null
    }
    const label = say(action.label)
    const danger = action.name === 'delete'
    try {
      await ElMessageBox.confirm(question(action, rows), t('action.confirmTitle', { action: label }), {
        confirmButtonText: label,
        cancelButtonText: t('app.cancel'),
        type: danger ? 'warning' : 'info',
        confirmButtonClass: danger ? 'el-button--danger' : '',
        customClass: 'confirm-action',
      })
    } catch {
      return null // called off by the person
    }
    working.value = action.name
    try {
      const told = (results: ActionResult[], pending: number): Outcome => ({
        action: action.name,
        label,
        results,
        pending,
        numbers: new Map(rows.map((row) => [row.id, row.number])),
      })
      const results = await inParts(of.kind, action.name, rows, told)
      const made = results.filter((result) => result.ok && result.new_id)
      const title = inside(action.makes ? catalogue.kindTitle(action.makes) : of.title)
      if (rows.length === 1 && made[0]?.new_id && (action.makes || action.name === 'amend')) {
        ElMessage({ type: 'success', message: t(action.makes ? 'action.made' : 'action.amended', { title }) })
        await router.push(formPath(action.makes ?? of.kind, made[0].new_id))
        return results
      }
      outcome.value = {
        ...told(results, 0),
        next:
          action.makes && made.length ? { path: siblingPath(action.makes, 'declare', catalogue.kinds), title } : null,
      }
      return results.filter((result) => result.ok)
    } catch (error) {
      tell(error)
      return null
    } finally {
      working.value = ''
    }
  }
  return { working, outcome, whyNot, perform }
}
