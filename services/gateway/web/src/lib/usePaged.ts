// A list with conditions in the address and pages by cursor; asked again at growing pauses while something on it is under
// way, because nothing tells these pages live.
import { onActivated, onBeforeUnmount, onDeactivated, reactive, ref, shallowRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { Query } from '@/api/client'
import { wasAborted } from '@/api/client'
import type { Page } from '@/api/types'
import { back, currentCursor, firstPage, forward, type CursorStack } from '@/lib/cursor'
import { rangeQuery, type DayRange } from '@/lib/dates'

const FIRST_LOOK = 1_500
const LONGEST_LOOK = 10_000

export type Conditions = Record<string, string>

/** Day ranges stand in the address as "2026-11-01~2026-11-20"; the API takes their first and last moment. */
export function questionOf(conditions: Conditions, ranges: readonly string[]): Query {
  const query: Query = {}
  for (const [name, value] of Object.entries(conditions)) {
    if (!value) continue
    if (ranges.includes(name)) Object.assign(query, rangeQuery(name, value.split('~') as unknown as DayRange))
    else query[name] = value.trim()
  }
  return query
}

export type Paged<T> = ReturnType<typeof usePaged<T>>

export function usePaged<T>(
  names: readonly string[],
  ranges: readonly string[],
  call: (query: Query, signal: AbortSignal) => Promise<Page<T>>,
  underWay: (items: readonly T[]) => boolean,
) {
  const route = useRoute()
  const router = useRouter()
  const path = route.path
  const form = reactive<Conditions>(
    Object.fromEntries(names.map((name) => [name, typeof route.query[name] === 'string' ? route.query[name] : ''])),
  )
  const view = reactive({ stack: firstPage() as CursorStack, size: 50 })
  const items = shallowRef<T[]>([])
  const next = ref('')
  const status = ref<'loading' | 'ready' | 'failed'>('loading')
  const failure = shallowRef<unknown>(null)
  let applied: Conditions = { ...form }
  let asked: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let pause = FIRST_LOOK
  let visible = true

  async function load(quietly = false): Promise<void> {
    asked?.abort()
    const mine = (asked = new AbortController())
    if (!quietly) status.value = 'loading'
    try {
      const query = { ...questionOf(applied, ranges), page_size: view.size, cursor: currentCursor(view.stack) }
      const answer = await call(query, mine.signal)
      if (mine !== asked) return
      items.value = answer.items
      next.value = answer.next_cursor ?? ''
      status.value = 'ready'
      failure.value = null
      look()
    } catch (error) {
      if (wasAborted(error) || mine !== asked) return
      if (quietly) return look() // what is shown stays; the next look tries again
      failure.value = error
      status.value = 'failed'
    }
  }
  function look(): void {
    clearTimeout(timer)
    if (!visible || !underWay(items.value)) {
      pause = FIRST_LOOK
      return
    }
    timer = setTimeout(() => void load(true), pause)
    pause = Math.min(pause * 1.5, LONGEST_LOOK)
  }
  async function submit(): Promise<void> {
    applied = { ...form }
    view.stack = firstPage()
    items.value = [] // an answer to another question
    await router.replace({ path, query: Object.fromEntries(Object.entries(applied).filter(([, value]) => value)) })
    await load()
  }
  async function reset(keep: Conditions = {}): Promise<void> {
    for (const name of names) form[name] = keep[name] ?? ''
    await submit()
  }
  const turn = (stack: CursorStack) => {
    view.stack = stack
    return load()
  }
  let away = false
  onActivated(() => {
    visible = true
    if (away) void load(true)
  })
  onDeactivated(() => {
    visible = false
    away = true
    clearTimeout(timer)
  })
  onBeforeUnmount(() => {
    clearTimeout(timer)
    asked?.abort()
  })
  return {
    form,
    view,
    items,
    next,
    status,
    failure,
    load,
    submit,
    reset,
    nextPage: () => turn(forward(view.stack, next.value)),
    previousPage: () => turn(back(view.stack)),
    resize: (size: number) => {
      view.size = size
      return turn(firstPage())
    },
  }
}
