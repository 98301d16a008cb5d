// Selected documents across pages: what was ticked stays ticked while one turns pages, and follows live changes.
import { computed, shallowReactive } from 'vue'
import type { DocumentRow, StateChange } from '@/api/types'
import { patchRows } from '@/lib/patch'

export function useSelection() {
  const picked = shallowReactive(new Map<string, DocumentRow>())
  const rows = computed(() => [...picked.values()])

  function toggle(row: DocumentRow): void {
    if (!picked.delete(row.id)) picked.set(row.id, row)
  }
  function toggleAll(page: readonly DocumentRow[]): void {
    const all = page.every((row) => picked.has(row.id))
    page.forEach((row) => (all ? picked.delete(row.id) : picked.set(row.id, row)))
  }
  const add = (more: readonly DocumentRow[]) => more.forEach((row) => picked.set(row.id, row))
  function follow(changes: StateChange[]): void {
    const mine = changes.filter((change) => picked.has(change.id))
    if (mine.length) patchRows(rows.value, mine).rows.forEach((row) => picked.set(row.id, row))
  }
  return { picked, rows, toggle, toggleAll, add, follow, clear: () => picked.clear() }
}
