// The columns of one query page as this person wants them; kept on the server, per page.
import { computed } from 'vue'
import type { Kind } from '@/api/types'
import {
  arranged,
  asDeclared,
  isDeclared,
  moved,
  pinToggled,
  sanitised,
  toggled,
  widened,
  type ColumnChoice,
} from '@/lib/columns'
import { viewColumns } from '@/lib/fields'
import { say, t } from '@/locales'
import type { QueryPreset } from '@/pages'
import { usePreferences } from '@/stores/preferences'

const BUILT_IN_WORDS: Record<string, string> = {
  number: 'number',
  state: 'state',
  stored_at: 'storedAt',
  updated_at: 'updatedAt',
  batch_no: 'batchNo',
  return_info: 'returnInfo',
}

export function useColumns(kind: Kind, preset: QueryPreset, page: string) {
  const preferences = usePreferences()
  const name = `columns.${page.toLowerCase()}`
  const all = computed(() => viewColumns(kind, (column) => t(`query.${BUILT_IN_WORDS[column]}`), say))
  const choice = computed(() => sanitised(preferences.get<unknown>(name, null), all.value))
  const shown = computed(() => arranged(all.value, choice.value, Object.keys(preset.fixed ?? {})))

  function keep(next: ColumnChoice): void {
    if (isDeclared(next)) preferences.remove(name)
    else preferences.put(name, next)
  }
  return {
    all,
    shown,
    isChanged: computed(() => !isDeclared(choice.value)),
    toggle: (column: string) => keep(toggled(choice.value, shown.value, column)),
    move: (column: string, by: number) => keep(moved(choice.value, shown.value, column, by)),
    pin: (column: string) => keep(pinToggled(choice.value, shown.value, column)),
    resize: (column: string, width: number | null) => keep(widened(choice.value, column, width)),
    reset: () => keep(asDeclared()),
  }
}
export type Columns = ReturnType<typeof useColumns>
