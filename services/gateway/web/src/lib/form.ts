// The model of a form: a body as people fill it in. Values are texts from the keyboard to the server, amounts too.
// What the system or customs fills is shown but never sent: the server would refuse it from anybody.
import type { Body, BodyPart, Field, Kind, SessionInfo, Strategy } from '@/api/types'
import type { Content } from './merge'
import { reckon } from './reckoned'

export type Part = Record<string, string>
export interface Line {
  /** for the page only: stays with the line while others come and go */
  key: number
  values: Part
}
export interface FormModel {
  head: Part
  lines: Line[]
}

let keys = 0
const key = () => ++keys

/** Filled by people, or by a strategy or the lines in their place. */
export const isEditable = (field: Field): boolean => field.filled_by !== 'system' && field.filled_by !== 'customs'

const defaultsOf = (fields: readonly Field[]): Part =>
  Object.fromEntries(fields.filter((f) => isEditable(f) && f.default).map((f) => [f.name, f.default as string]))

export const newLine = (kind: Kind, given: Part = {}): Line => ({
  key: key(),
  values: { ...defaultsOf(kind.lines), ...given },
})

export function newForm(kind: Kind): FormModel {
  const lines = kind.lines.length && (kind.min_lines ?? 1) > 0 ? [newLine(kind)] : []
  return { head: defaultsOf(kind.head), lines }
}

const texts = (part: BodyPart): Part =>
  Object.fromEntries(Object.entries(part).map(([name, value]) => [name, value ?? '']))

export const formOf = (body: Body): FormModel => ({
  head: texts(body.head),
  lines: body.lines.map((line) => ({ key: key(), values: texts(line) })),
})

export const formFrom = (content: Content): FormModel => ({
  head: { ...content.head },
  lines: content.lines.map((values) => ({ key: key(), values: { ...values } })),
})
export const contentOf = (form: FormModel): Content => ({
  head: { ...form.head },
  lines: form.lines.map((line) => ({ ...line.values })),
})

/**
 * A stored body as a form shows it. A head field that is worked out, and agrees, is left to the system: it then follows
 * the lines, where a value that stands there would not.
 */
export function contentFrom(kind: Kind, body: Body): Content {
  const form = formOf(body)
  for (const finding of reckon(kind, form)) {
    const worked = kind.head.find((field) => field.name === finding.field)?.filled_by === 'computed'
    if (worked && finding.level === 'head' && finding.how === 'sum' && finding.ok) form.head[finding.field] = ''
  }
  return contentOf(form)
}

function partOf(fields: readonly Field[], values: Part): Part {
  const part: Part = {}
  for (const field of fields) {
    const value = values[field.name]
    if (isEditable(field) && value !== undefined && value !== '') part[field.name] = value
  }
  return part
}

/** What people fill in, and nothing else: what is kept as a draft and compared with what others typed. */
export function ownContent(kind: Kind, content: Content): Content {
  const lines = content.lines.map((line) => partOf(kind.lines, line)).filter((line) => Object.keys(line).length)
  return { head: partOf(kind.head, content.head), lines }
}

/** The same once more: all but the number, which is this document's own. */
export function copyOf(kind: Kind, content: Content): Content {
  const { head, lines } = ownContent(kind, content)
  return { head: { ...head, [kind.number_field]: '' }, lines }
}

/** What is sent: without empty values, without what is not for people, without lines in which nothing stands. */
export function bodyOf(kind: Kind, form: FormModel): { body: Body; places: number[] } {
  const lines: Part[] = []
  const places: number[] = []
  form.lines.forEach((line, at) => {
    const part = partOf(kind.lines, line.values)
    if (!Object.keys(part).length) return
    lines.push(part)
    places.push(at)
  })
  return { body: { head: partOf(kind.head, form.head), lines }, places }
}

export const duplicateLine = (line: Line): Line => ({ key: key(), values: { ...line.values } })

/** The fields by which a message names an enterprise of each kind: prefix of …Code and …Name. */
const ROLE: Record<string, readonly string[]> = {
  ecommerce: ['ebc'],
  logistics: ['logistics'],
  'logistics-b2b': ['logistics'],
  operator: ['operator'],
  payment: ['pay'],
  agent: ['agent', 'declAgent'],
}

/** The own enterprise in the roles that it has: what one need not type. */
export function ownParty(kind: Kind, own: SessionInfo['filing'] | undefined): Part {
  const part: Part = {}
  if (!own?.code) return part
  const names = new Set(kind.head.filter((f) => f.filled_by === 'strategy').map((f) => f.name))
  for (const prefix of own.kinds.flatMap((one) => ROLE[one] ?? [])) {
    if (names.has(`${prefix}Code`)) part[`${prefix}Code`] = own.code
    if (names.has(`${prefix}Name`)) part[`${prefix}Name`] = own.name
  }
  return part
}

/** orderType that belongs to a trade mode (field table CEB303) */
const ORDER_TYPES: Record<string, string> = { '9610': 'E', '9710': 'B', '9810': 'W' }

/** What a strategy fills into the head and into each line of a document of this kind. */
export function strategyParts(kind: Kind, strategy: Strategy): { head: Part; line: Part } {
  const known: Part = { ...(strategy.defaults ?? {}) }
  known.tradeMode ??= strategy.trade_mode
  const type = ORDER_TYPES[strategy.trade_mode]
  if (type) known.orderType ??= type
  const own = (fields: readonly Field[]): Part =>
    Object.fromEntries(
      fields
        .filter((f) => f.filled_by === 'strategy' && known[f.name])
        .filter((f) => !f.choices?.length || f.choices.some((c) => c.value === known[f.name]))
        .map((f) => [f.name, known[f.name] as string]),
    )
  return { head: own(kind.head), line: own(kind.lines) }
}

/** The strategies that serve a kind. */
export const strategiesOf = (all: readonly Strategy[], kind: string, tradeMode = ''): Strategy[] =>
  all.filter(
    (one) =>
      one.enabled !== false &&
      (one.kinds?.length ? one.kinds.includes(kind) : one.kind === kind) &&
      (!tradeMode || one.trade_mode.startsWith(tradeMode)),
  )
