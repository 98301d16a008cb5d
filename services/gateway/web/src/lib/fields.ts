// From a declared field and its raw text to what a person reads: name[code], aligned decimals, Shanghai times.
import type { Column, DocumentRow, Field, Kind, Label } from '@/api/types'
import { showCustomsDay, showCustomsTime, showTime } from './dates'
import { showDecimal } from './decimal'
import { headRoom, textRoom } from './textRoom'

export interface Words {
  say: (label: Field['label']) => string
  code: (table: string, code: string) => string
}

export function showField(
  field: Field | undefined,
  value: string | null | undefined,
  words: Words,
  decimals = 0,
): string {
  if (value === null || value === undefined || value === '') return ''
  const choice = field?.choices?.find((c) => c.value === value)
  if (choice) return `${words.say(choice.label)}[${value}]`
  if (field?.code_table) return words.code(field.code_table, value)
  if (field?.type === 'decimal' || field?.type === 'integer') return showDecimal(value, decimals)
  if (field?.type === 'date') return showCustomsDay(value)
  if (field?.type === 'datetime') return /^\d{14}/.test(value) ? showCustomsTime(value) : showTime(value, true)
  return value
}

export const isNumeric = (field: Field | undefined): boolean => field?.type === 'decimal' || field?.type === 'integer'

/** What every kind has, whatever it declares. */
export const BUILT_IN = ['number', 'state', 'stored_at', 'updated_at', 'batch_no', 'return_info'] as const

/** The raw text of a cell: built-in columns stand on the row itself, all others in its `columns`. */
export function cellValue(row: DocumentRow, column: string): string {
  if (column === 'number') return row.number
  if (column === 'state') return row.state
  if (column === 'stored_at') return row.stored_at
  if (column === 'updated_at') return row.updated_at ?? ''
  if (column === 'batch_no') return row.batch_no ?? row.columns.batch_no ?? ''
  if (column === 'return_info') return row.return_info ?? row.columns.return_info ?? ''
  return row.columns[column] ?? ''
}

/** Room for a table on a screen of 1366 px, beside the menu, in px. */
const ROOM = 1130
const PICK = 38
/** A state is read whole: its column has room for the longest of the kind, within these, in px. */
const STATE_ROOM = { least: 128, most: 196, mark: 44 }
/** What every default view keeps, with the room it needs; number and state come first, customs' words right after. */
const KEPT: Record<string, number> = { number: 182, state: 128, return_info: 186, stored_at: 136 }
const NARROWEST = 84
const WIDEST = 150

export interface ViewColumn extends Omit<Column, 'label'> {
  label: Label | string
  field?: Field
  kindOf: 'number' | 'state' | 'time' | 'value'
  /** its width was chosen by a person, not declared */
  sized?: boolean
}

const KIND_OF: Record<string, ViewColumn['kindOf']> = {
  number: 'number',
  state: 'state',
  stored_at: 'time',
  updated_at: 'time',
}

/** A declared kind without a workbook with batches has no batch numbers, and nobody answers what customs itself issued. */
function says(kind: Kind, name: string): boolean {
  if (name === 'batch_no') return kind.sheet === undefined || !!kind.sheet?.batch
  return name !== 'return_info' || !kind.received
}

function stateRoom(kind: Kind, say: (label: Label) => string): number {
  const longest = Math.max(0, ...kind.states.map((state) => textRoom(say(state.label), 12)))
  return Math.min(STATE_ROOM.most, Math.max(STATE_ROOM.least, longest + STATE_ROOM.mark))
}

/** All columns a table of this kind can show: number, state and customs' words first, then as declared, then built-in ones. */
export function viewColumns(
  kind: Kind,
  builtIn: (name: string) => string,
  say: (label: Label) => string = (label) => label.zh,
): ViewColumn[] {
  const declared = new Map(
    kind.columns.map((column) => [column.name === kind.number_field ? 'number' : column.name, column]),
  )
  const names = ['number', 'state', 'return_info', ...declared.keys(), ...BUILT_IN].filter((name) => says(kind, name))
  return [...new Set(names)].map((name) => {
    const column = declared.get(name)
    const field = kind.head.find((f) => f.name === (name === 'number' ? kind.number_field : name))
    const label = column?.label ?? (name === 'number' && field ? field.label : builtIn(name))
    const sortable = column?.sortable ?? name === 'stored_at'
    const width = name === 'state' ? stateRoom(kind, say) : (KEPT[name] ?? Math.min(column?.width ?? NARROWEST, WIDEST))
    return {
      ...column,
      name,
      label,
      align: column?.align ?? (isNumeric(field) ? 'right' : 'left'),
      width: Math.max(width, headRoom(typeof label === 'string' ? label : say(label), sortable)),
      default: name in KEPT || (column ? column.default !== false : name === 'updated_at'),
      sortable,
      fixed: column?.fixed ?? name === 'number',
      field,
      kindOf: KIND_OF[name] ?? 'value',
    }
  })
}

/**
 * Chosen columns in declared order; number and state cannot be taken away. Without a choice: what is kept always, and of
 * the rest, in the order of importance, as many as fit; what is the same in every row is not shown.
 */
export function chosenColumns(
  all: readonly ViewColumn[],
  chosen: readonly string[] | null,
  constant: readonly string[] = [],
  room: number = ROOM,
): ViewColumn[] {
  const always = (c: ViewColumn) => c.name === 'number' || c.name === 'state'
  if (chosen) return all.filter((c) => always(c) || chosen.includes(c.name))
  const wanted = all.filter((c) => c.default && !constant.includes(c.name))
  let left = wanted.reduce((room, c) => room - (c.name in KEPT ? (c.width ?? 0) : 0), room - PICK)
  return wanted.filter((c) => {
    if (c.name in KEPT) return true
    const width = c.width ?? NARROWEST
    if (width > left) return false
    left -= width
    return true
  })
}
