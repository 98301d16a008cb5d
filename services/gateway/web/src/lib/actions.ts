// Which actions fit what is selected, and in words why one does not.
import type { ActionDef, DocumentRow, Kind, StateDef } from '@/api/types'

export const MOST_IDS = 1000
export type Fit =
  | { fits: string[]; skip: string[]; why: null }
  | { fits: string[]; skip: string[]; why: 'permission' | 'selection' | 'many' | 'states' }

type Fitting = Pick<DocumentRow, 'id' | 'state'>
export const fitsState = (action: ActionDef, row: Fitting): boolean => action.states.includes(row.state)

export function fitOf(action: ActionDef, rows: readonly Fitting[], may: boolean): Fit {
  const fits = rows.filter((row) => fitsState(action, row)).map((row) => row.id)
  const skip = rows.filter((row) => !fitsState(action, row)).map((row) => row.id)
  const why = !may
    ? 'permission'
    : rows.length === 0
      ? 'selection'
      : rows.length > MOST_IDS
        ? 'many'
        : fits.length === 0
          ? 'states'
          : null
  return { fits, skip, why }
}

/** The page's own action first, then as declared; delete always last. What no state of the page allows is not offered. */
export function orderedActions(kind: Kind, first?: string, states: readonly StateDef[] = kind.states): ActionDef[] {
  const rank = (a: ActionDef) => (a.name === first ? 0 : a.name === 'delete' ? 2 : 1)
  return kind.actions
    .filter((a) => a.batch && states.some((s) => a.states.includes(s.name)))
    .sort((a, b) => rank(a) - rank(b))
}
