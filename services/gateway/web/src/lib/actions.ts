// Which actions fit what is selected, and in words why one does not.
import type { ActionDef, ActionResult, DocumentRow, Kind, StateDef } from '@/api/types'

export const MOST_IDS = 1000
export type Fit =
  | { fits: string[]; skip: string[]; why: null }
  | { fits: string[]; skip: string[]; why: 'permission' | 'selection' | 'single' | 'many' | 'states' }

type Fitting = Pick<DocumentRow, 'id' | 'state'>
export const fitsState = (action: ActionDef, row: Fitting): boolean => action.states.includes(row.state)

export function fitOf(action: ActionDef, rows: readonly Fitting[], may: boolean): Fit {
  const fits = rows.filter((row) => fitsState(action, row)).map((row) => row.id)
  const skip = rows.filter((row) => !fitsState(action, row)).map((row) => row.id)
  const why = !may
    ? 'permission'
    : rows.length === 0
      ? 'selection'
      : rows.length > 1 && SINGLE.includes(action.name)
        ? 'single'
        : rows.length > MOST_IDS
          ? 'many'
          : fits.length === 0
            ? 'states'
            : null
  return { fits, skip, why }
}

/** Done to one document at a time: each leads to a form of its own. */
export const SINGLE: readonly string[] = ['edit', 'amend']
/** Done where the documents of tasks are shown (A8); elsewhere it would be a second button for filing. */
const OF_TASKS = 'push'

/**
 * The page's own action first, then as declared; what changes one document after those that file, delete always last.
 * What no state of the page allows is not offered.
 */
export function orderedActions(kind: Kind, first?: string, states: readonly StateDef[] = kind.states): ActionDef[] {
  const rank = (a: ActionDef) => (a.name === first ? 0 : a.name === 'delete' ? 3 : SINGLE.includes(a.name) ? 2 : 1)
  return kind.actions
    .filter((a) => a.name !== OF_TASKS && states.some((s) => a.states.includes(s.name)))
    .sort((a, b) => rank(a) - rank(b))
}

/** What a page is for: the first action that is possible in every one of its states, if there is one. */
export function ownAction(kind: Kind, states: readonly string[] | undefined): string | undefined {
  if (!states?.length) return undefined
  const able = (name: string) => kind.actions.some((a) => a.name === name && states.every((s) => a.states.includes(s)))
  return ['declare', 'amend'].find(able)
}

/** A deletion that was done here and now; of what customs holds, it is only asked for by a message. */
export const wasRemoved = (result: ActionResult): boolean => !result.state || result.state === 'deleted'
