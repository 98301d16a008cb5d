// The columns a person has chosen for a page: which, in what order, pinned, how wide. What is remembered was written by
// another visit, perhaps under another declaration: only what still makes sense is taken.
import { chosenColumns, type ViewColumn } from './fields'

export interface ColumnChoice {
  /** shown ones from left to right; null = the default view */
  names: string[] | null
  /** null = as declared */
  pinned: string[] | null
  widths: Record<string, number>
}

export const NARROWEST = 48
export const WIDEST = 800
/** more would leave too little of a clerk's screen to scroll */
export const MOST_PINNED = 4

export const asDeclared = (): ColumnChoice => ({ names: null, pinned: null, widths: {} })
export const isDeclared = (choice: ColumnChoice): boolean =>
  !choice.names && !choice.pinned && !Object.keys(choice.widths).length
export const mayHide = (column: ViewColumn): boolean => column.name !== 'number' && column.name !== 'state'
export const clampWidth = (width: number): number => Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)))

export function sanitised(raw: unknown, all: readonly ViewColumn[]): ColumnChoice {
  const given = (typeof raw === 'object' && raw !== null ? raw : {}) as Partial<Record<keyof ColumnChoice, unknown>>
  const known = new Set(all.map((column) => column.name))
  const names = (value: unknown): string[] | null =>
    Array.isArray(value)
      ? [...new Set(value.filter((one): one is string => typeof one === 'string' && known.has(one)))]
      : null
  const widths: Record<string, number> = {}
  if (typeof given.widths === 'object' && given.widths !== null)
    for (const [name, width] of Object.entries(given.widths))
      if (known.has(name) && typeof width === 'number' && width >= NARROWEST && width <= WIDEST)
        widths[name] = Math.round(width)
  const shown = names(given.names)
  return { names: shown?.length ? shown : null, pinned: names(given.pinned)?.slice(0, MOST_PINNED) ?? null, widths }
}

/** The columns of the table, pinned ones first; what cannot be hidden is there whatever was remembered. */
export function arranged(
  all: readonly ViewColumn[],
  choice: ColumnChoice,
  constant: readonly string[] = [],
): ViewColumn[] {
  const pinned = choice.pinned ?? all.filter((column) => column.fixed).map((column) => column.name)
  const byName = new Map(all.map((column) => [column.name, column]))
  const chosen = choice.names
    ? [...all.filter((c) => !mayHide(c) && !choice.names?.includes(c.name)).map((c) => c.name), ...choice.names]
    : chosenColumns(all, null, constant).map((column) => column.name)
  const columns = chosen.flatMap((name) => {
    const column = byName.get(name)
    if (!column) return []
    const width = choice.widths[name]
    return [{ ...column, fixed: pinned.includes(name), ...(width ? { width, sized: true } : {}) }]
  })
  return [...columns.filter((column) => column.fixed), ...columns.filter((column) => !column.fixed)]
}

const namesOf = (columns: readonly ViewColumn[]) => columns.map((column) => column.name)
const pinnedOf = (columns: readonly ViewColumn[]) => namesOf(columns.filter((column) => column.fixed))

/** Shown at the right end, or no longer shown. */
export function toggled(choice: ColumnChoice, columns: readonly ViewColumn[], name: string): ColumnChoice {
  const names = namesOf(columns)
  return { ...choice, names: names.includes(name) ? names.filter((one) => one !== name) : [...names, name] }
}

/** So many places to the right; pinned ones stay among the pinned, the others among the others. */
export function moved(choice: ColumnChoice, columns: readonly ViewColumn[], name: string, by: number): ColumnChoice {
  const at = columns.findIndex((column) => column.name === name)
  const group = columns.map((column, i) => ({ column, i })).filter(({ column }) => column.fixed === columns[at]?.fixed)
  const first = group[0]?.i ?? 0
  const to = Math.min(Math.max(at + by, first), first + group.length - 1)
  if (at < 0 || to === at) return choice
  const names = namesOf(columns)
  names.splice(at, 1)
  names.splice(to, 0, name)
  return { ...choice, names }
}

export function pinToggled(choice: ColumnChoice, columns: readonly ViewColumn[], name: string): ColumnChoice {
  const pinned = pinnedOf(columns)
  const is = pinned.includes(name)
  if (!is && pinned.length >= MOST_PINNED) return choice
  return {
    ...choice,
    names: choice.names ?? namesOf(columns),
    pinned: is ? pinned.filter((one) => one !== name) : [...pinned, name],
  }
}

/** null: as wide as declared again. */
export function widened(choice: ColumnChoice, name: string, width: number | null): ColumnChoice {
  const widths = Object.fromEntries(Object.entries(choice.widths).filter(([one]) => one !== name))
  if (width !== null) widths[name] = clampWidth(width)
  return { ...choice, widths }
}
