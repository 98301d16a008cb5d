// Keeps rows current by live changes. Changes that overtake the answer of a query are kept and laid over it.
import { onBeforeUnmount, reactive, type ShallowRef } from 'vue'
import { serverNow } from '@/api/client'
import type { ActionResult, DocumentRow, StateChange } from '@/api/types'
import { mergeRows, patchRows } from '@/lib/patch'

const FLASH_MS = 1600
const REMEMBERED = 2000

export function useRowPatches(rows: ShallowRef<DocumentRow[]>) {
  const flashing = reactive(new Set<string>())
  const latest = new Map<string, StateChange>()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const listeners: ((changes: StateChange[]) => void)[] = []

  function flash(ids: string[]): void {
    ids.forEach((id) => flashing.add(id))
    const timer = setTimeout(() => {
      ids.forEach((id) => flashing.delete(id))
      timers.delete(timer)
    }, FLASH_MS)
    timers.add(timer)
  }
  /** Answers whether any row on the glass changed. */
  function take(heard: StateChange[]): boolean {
    const changes = heard.map((change) => ({ updated_at: serverNow(), ...change }))
    for (const change of changes) {
      latest.delete(change.id)
      latest.set(change.id, change)
    }
    while (latest.size > REMEMBERED) latest.delete(latest.keys().next().value as string)
    const patched = patchRows(rows.value, changes)
    if (patched.flashed.length) {
      rows.value = patched.rows
      flash(patched.flashed)
    }
    listeners.forEach((listener) => listener(changes))
    return patched.flashed.length > 0
  }
  /** New rows from the server, brought up to anything newer that was heard meanwhile. */
  function show(items: DocumentRow[]): void {
    rows.value = patchRows(
      items,
      items.flatMap((row) => newer(row)),
    ).rows
  }
  /** What an event does not tell (customs' words, the time) comes with a second look; place and order stay. */
  function freshen(items: DocumentRow[]): void {
    rows.value = mergeRows(rows.value, items)
  }
  /**
   * What an action did is seen at once, in place. `before` = versions when it was asked for: live events often overtake
   * the action's own answer, and that must not turn a row back.
   */
  function acted(results: ActionResult[], before: ReadonlyMap<string, number>): void {
    const now = new Map(rows.value.map((row) => [row.id, row.version]))
    const changed = results.flatMap(({ id, state }) => {
      const version = before.get(id)
      return state && version !== undefined && now.get(id) === version
        ? [{ id, state, version: version + 1, settled: false }]
        : []
    })
    const patched = patchRows(rows.value, changed)
    rows.value = patched.rows
    flash(patched.flashed)
  }
  function deleted(ids: readonly string[]): void {
    rows.value = rows.value.filter((row) => !ids.includes(row.id))
  }
  function newer(row: DocumentRow): StateChange[] {
    const change = latest.get(row.id)
    return change && change.version > row.version ? [change] : []
  }
  onBeforeUnmount(() => timers.forEach(clearTimeout))
  return {
    flashing,
    take,
    show,
    freshen,
    acted,
    deleted,
    listen: (listener: (changes: StateChange[]) => void) => {
      listeners.push(listener)
    },
  }
}
