// Conditions of a query: which there are, how they stand in the address, and what the API is asked.
import type { Condition, Kind, Label } from '@/api/types'
import type { QueryPreset } from '@/pages'
import { rangeQuery, type DayRange } from './dates'

export type Value = string | string[] | DayRange | null
export type Form = Record<string, Value>
type AddressQuery = Record<string, string | null | (string | null)[]>

export const STORED = 'stored'
export const STATE = 'state'
/** "every state", where the page presets some */
const ANY = '*'

/** The declared conditions apart from state and storage time, which every page has in their own form. */
export function ownConditions(kind: Kind, preset: QueryPreset = {}): Condition[] {
  const fixed = preset.fixed ?? {}
  return kind.conditions.filter((c) => c.name !== STATE && c.name !== 'settled' && !isStored(c) && !(c.name in fixed))
}
const isStored = (c: Condition) => c.type === 'daterange' && (c.name === STORED || c.name === 'stored_at')

export function storedLabel(kind: Kind): Label | null {
  return kind.conditions.find(isStored)?.label ?? null
}

/** States that can occur on this page. */
export function pageStates(kind: Kind, preset: QueryPreset = {}) {
  return kind.states.filter(
    (s) =>
      (preset.settled === undefined || String(s.settled) === preset.settled) &&
      (!preset.states || preset.states.includes(s.name)),
  )
}

/** A page made for one action starts with the states in which it can be done; a declared page has its own set. */
export function presetStates(kind: Kind, preset: QueryPreset = {}): string[] {
  if (preset.page) return []
  const action = kind.actions.find((a) => a.name === preset.action)
  return action
    ? pageStates(kind, preset)
        .map((s) => s.name)
        .filter((name) => action.states.includes(name))
    : []
}

export function emptyForm(kind: Kind, preset: QueryPreset = {}): Form {
  const form: Form = { [STORED]: null, [STATE]: presetStates(kind, preset) }
  for (const c of ownConditions(kind, preset)) form[c.name] = c.type === 'daterange' ? null : ''
  return form
}

const isRange = (value: Value): value is DayRange =>
  Array.isArray(value) && value.length === 2 && value.every((v) => /^\d{4}-\d{2}-\d{2}$/.test(v))
const isEmpty = (value: Value | undefined) => value === null || value === undefined || value.length === 0
const same = (a: string[], b: string[]) => a.length === b.length && a.every((v) => b.includes(v))

/** What stands in the address: only what differs from the page's own start. */
export function toAddress(kind: Kind, form: Form, preset: QueryPreset = {}): Record<string, string | string[]> {
  const address: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(form)) {
    if (name === STATE) {
      const states = (value ?? []) as string[]
      if (!same(states, presetStates(kind, preset))) address[STATE] = states.length ? states : ANY
    } else if (isRange(value)) address[name] = `${value[0]}~${value[1]}`
    else if (typeof value === 'string' && value.trim()) address[name] = value.trim()
  }
  return address
}

const texts = (value: AddressQuery[string] | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).filter((v): v is string => typeof v === 'string' && v !== '')

export function fromAddress(kind: Kind, address: AddressQuery, preset: QueryPreset = {}): Form {
  const form = emptyForm(kind, preset)
  const known = new Set(pageStates(kind, preset).map((s) => s.name))
  const states = texts(address[STATE])
  if (states.length) form[STATE] = states.filter((s) => known.has(s))
  const dated = new Set([
    STORED,
    ...ownConditions(kind, preset)
      .filter((c) => c.type === 'daterange')
      .map((c) => c.name),
  ])
  for (const name of Object.keys(form)) {
    const [text] = texts(address[name])
    if (name === STATE || text === undefined) continue
    if (!dated.has(name)) {
      form[name] = text
      continue
    }
    const range = text.split('~') as unknown as Value
    if (isRange(range)) form[name] = range
  }
  return form
}

/** What the API is asked: presets always, the rest where filled in. */
export function toQuery(kind: Kind, form: Form, preset: QueryPreset = {}): Record<string, string> {
  const declared = new Set(kind.conditions.map((c) => c.name))
  const query: Record<string, string> = {}
  if (preset.settled) query.settled = preset.settled
  if (preset.page) query.page = preset.page
  for (const [name, value] of Object.entries(preset.fixed ?? {})) if (declared.has(name)) query[name] = value
  for (const [name, value] of Object.entries(form)) {
    if (isEmpty(value)) continue
    if (name === STATE) query.state = (value as string[]).join(',')
    else if (isRange(value)) Object.assign(query, rangeQuery(name, value))
    else if (typeof value === 'string' && value.trim()) query[name] = value.trim()
  }
  return query
}

export const hasConditions = (kind: Kind, form: Form, preset: QueryPreset = {}): boolean =>
  Object.keys(toAddress(kind, form, preset)).length > 0
