// The life of one query page: address ↔ conditions ↔ rows, paging by cursors, live changes in place.
import { computed, onBeforeUnmount, reactive, ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { documents } from '@/api/calls'
import { wasAborted } from '@/api/client'
import type { ActionResult, DocumentRow, Kind } from '@/api/types'
import {
  emptyForm,
  fromAddress,
  hasConditions,
  pageStates,
  STATE,
  STORED,
  toAddress,
  toQuery,
  type Form,
} from '@/lib/conditions'
import { back, currentCursor, firstPage, forward, fromLink, PAGE_SIZES, type CursorStack } from '@/lib/cursor'
import { rangeFault, type DayRange } from '@/lib/dates'
import type { QueryPreset } from '@/pages'
import { useLiveEvents } from '@/stores/live'
import { usePreferences } from '@/stores/preferences'
import { useRowPatches } from './useRowPatches'

/** a second look after live changes: not sooner, so that a burst of them costs one question */
const LOOK_AGAIN_MS = 1500
const SIZE = 'page-size'

export function useQuery(kind: Kind, preset: QueryPreset) {
  const route = useRoute()
  const router = useRouter()
  const path = route.path
  const preferences = usePreferences()
  const wantedSize = preferences.get<unknown>(SIZE, null)
  const form = reactive<Form>({})
  const view = reactive({
    stack: firstPage() as CursorStack,
    size: PAGE_SIZES.find((size) => size === wantedSize) ?? 50,
    sort: '',
  })
  const applied = shallowRef<Form>({})
  const rows = shallowRef<DocumentRow[]>([])
  const next = ref('')
  const total = ref<number | null>(null)
  const status = ref<'loading' | 'ready' | 'failed' | 'cleared'>('loading')
  const refreshing = ref(false)
  /** other rows of the same question are on their way: what is on the glass waits for them where it is */
  const turning = ref(false)
  /** counts the questions that were answered: the table begins at the top with each */
  const answered = ref(0)
  const failure = shallowRef<unknown>(null)
  const patches = useRowPatches(rows)
  const fault = computed(() => rangeFault(form[STORED] as DayRange | null))
  /** Rows that stay on the glass until the next query although their state is no longer one that was asked for. */
  const leaving = computed(() => {
    const chosen = (applied.value[STATE] ?? []) as string[]
    const asked = new Set(chosen.length ? chosen : pageStates(kind, preset).map((state) => state.name))
    return new Set(rows.value.filter((row) => !asked.has(row.state)).map((row) => row.id))
  })
  let call: AbortController | null = null

  function address(): Record<string, string | string[]> {
    const { stack, sort } = view
    const query = toAddress(kind, applied.value, preset)
    if (sort) query.sort = sort
    if (stack.page > 1) Object.assign(query, { cursor: currentCursor(stack), page: String(stack.page) })
    return query
  }
  function readAddress(): void {
    Object.assign(form, fromAddress(kind, route.query, preset))
    applied.value = { ...form }
    view.sort = typeof route.query.sort === 'string' ? route.query.sort : ''
    const cursor = typeof route.query.cursor === 'string' ? route.query.cursor : ''
    if (cursor !== currentCursor(view.stack)) view.stack = fromLink(cursor, Number(route.query.page))
  }
  const written = () => JSON.stringify(router.resolve({ path, query: address() }).query)

  /** What was asked for, without the place in its pages: exports and prints take it as it is. */
  const question = () => ({ ...toQuery(kind, applied.value, preset), sort: view.sort })
  const pageQuestion = () => ({ ...question(), page_size: view.size, cursor: currentCursor(view.stack) })

  /** Fetches the shown page. quietly = nobody asked: rows, place and order of looking stay. */
  async function load(how: 'anew' | 'turn' | 'quietly' = 'anew'): Promise<void> {
    call?.abort()
    const mine = (call = new AbortController())
    if (how === 'quietly') refreshing.value = true
    else if (how === 'turn' && status.value === 'ready') turning.value = true
    else status.value = 'loading'
    try {
      const answer = await documents.query(kind.kind, pageQuestion(), mine.signal)
      patches.show(answer.items)
      next.value = answer.next_cursor ?? ''
      total.value = answer.total_estimate ?? null
      status.value = 'ready'
      failure.value = null
      if (how !== 'quietly') answered.value++
    } catch (error) {
      if (wasAborted(error)) return
      if (how === 'quietly') return // what is shown stays; the next gap or visit tries again
      failure.value = error
      status.value = 'failed'
    } finally {
      if (mine === call) refreshing.value = turning.value = false
    }
  }
  let again: ReturnType<typeof setTimeout> | undefined
  function lookAgain(): void {
    again ??= setTimeout(async () => {
      again = undefined
      if (status.value !== 'ready' || refreshing.value || turning.value) return
      const asked = rows.value.map((row) => row.id).join()
      try {
        const { items } = await documents.query(kind.kind, pageQuestion())
        if (asked === rows.value.map((row) => row.id).join()) patches.freshen(items)
      } catch {
        // the states are right already; the words come with the next query
      }
    }, LOOK_AGAIN_MS)
  }
  async function show(how: 'anew' | 'turn'): Promise<void> {
    await router.replace({ path, query: address() })
    await load(how)
  }
  async function submit(): Promise<void> {
    if (fault.value) return
    applied.value = { ...form }
    view.stack = firstPage()
    await show('anew')
  }
  async function reset(): Promise<void> {
    call?.abort()
    Object.assign(form, emptyForm(kind, preset))
    applied.value = { ...form }
    Object.assign(view, { stack: firstPage(), sort: '' })
    patches.show([])
    total.value = null
    next.value = ''
    status.value = 'cleared'
    await router.replace({ path, query: {} })
  }
  const turn = (stack: CursorStack) => {
    view.stack = stack
    return show('turn')
  }
  const sortBy = (sort: string) => {
    view.sort = sort
    view.stack = firstPage()
    return show('turn')
  }
  function resize(size: number): Promise<void> {
    view.size = size
    preferences.put(SIZE, size)
    return turn(firstPage())
  }

  readAddress()
  void load()
  // Back, forward and links change the address from outside; this page's own writes are recognised by their text.
  watch(
    () => route.fullPath,
    () => {
      if (route.path !== path || JSON.stringify(route.query) === written()) return
      readAddress()
      void load()
    },
  )
  const quietly = () => {
    if (turning.value) return // what is on its way is new already
    if (status.value === 'ready' || status.value === 'failed') void load(status.value === 'ready' ? 'quietly' : 'anew')
  }
  onBeforeUnmount(() => clearTimeout(again))
  useLiveEvents({
    states: (of, changes) => {
      if (of === kind.kind && patches.take(changes)) lookAgain()
    },
    progress: (progress) => {
      if (progress.kind === kind.kind && progress.state === 'done' && view.stack.page === 1) quietly()
    },
    gap: quietly,
  })

  return {
    form,
    view,
    rows,
    next,
    total,
    status,
    refreshing,
    turning,
    answered,
    leaving,
    failure,
    fault,
    flashing: patches.flashing,
    filtered: computed(() => hasConditions(kind, applied.value, preset)),
    question,
    submit,
    reset,
    reload: () => load('turn'),
    sortBy,
    resize,
    onRowChange: patches.listen,
    deleted: patches.deleted,
    acted: (results: ActionResult[], before: ReadonlyMap<string, number>) => {
      patches.acted(results, before)
      lookAgain()
    },
    nextPage: () => turn(forward(view.stack, next.value)),
    previousPage: () => turn(back(view.stack)),
  }
}
