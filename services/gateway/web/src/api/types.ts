// The shapes the HTTP API answers with. Only what the pages read; never a place for logic.

export type Language = 'zh-CN' | 'en'
/** A text of a declaration in both languages. */
export interface Label {
  zh: string
  en: string
}
export interface Choice {
  value: string
  label: Label
}

export type FieldType = 'text' | 'code' | 'decimal' | 'integer' | 'datetime'
export interface Field {
  name: string
  label: Label
  type: FieldType
  length?: number | null
  digits?: number | null
  scale?: number | null
  required: boolean
  code_table?: string | null
  area?: string | null
  border?: 'customs' | 'inspection' | 'both' | null
  filled_by?: 'user' | 'strategy' | 'system' | 'customs'
  note?: Label | string | null
  choices?: Choice[] | null
}
export interface Condition {
  name: string
  label: Label
  type: 'text' | 'code' | 'choice' | 'daterange'
  match?: 'equals' | 'prefix'
  code_table?: string | null
  choices?: Choice[] | null
}
export interface Column {
  name: string
  label: Label
  align?: 'left' | 'right' | 'center'
  width?: number | null
  default?: boolean
  sortable?: boolean
  fixed?: boolean
}
export type StateColour = 'grey' | 'blue' | 'amber' | 'green' | 'red'
export interface StateDef {
  name: string
  label: Label
  colour: StateColour
  settled: boolean
}
export interface ActionDef {
  name: string
  label: Label
  states: string[]
  batch: boolean
  confirm?: Label | null
  permission?: string | null
}
export interface Kind {
  kind: string
  title: Label
  message?: string
  pages?: string[]
  number_field: string
  head: Field[]
  lines: Field[]
  line_number?: string | null
  max_lines?: number
  conditions: Condition[]
  columns: Column[]
  states: StateDef[]
  actions: ActionDef[]
  sheet?: { name: string; columns: { field: string; label: Label; required: boolean }[] } | null
  areas: { name: string; label: Label }[]
}

export interface DocumentRow {
  id: string
  kind: string
  number: string
  state: string
  state_text?: string
  customs_status?: string | null
  settled: boolean
  stored_at: string
  updated_at?: string
  version: number
  batch_no?: string | null
  columns: Record<string, string | null>
  return_info?: string | null
  actions?: string[]
}
export type BodyPart = Record<string, string | null>
export interface DocumentFull extends DocumentRow {
  body: { head: BodyPart; lines: BodyPart[] }
  etag?: string
  links?: unknown[]
}
export interface Page<T> {
  items: T[]
  next_cursor?: string | null
  total_estimate?: number | null
}

export interface TimelineItem {
  at: string
  what: string
  text: string
  actor?: string | null
  detail?: Record<string, unknown> | null
}
export interface Receipt {
  id: string
  message_type: string
  status: string
  status_text: string
  return_time: string
  info?: string | null
  received_at: string
  standing: 'applied' | 'late' | 'unknown_status'
  times: number
}

export interface ProblemField {
  pointer?: string
  code?: string
  message: string
  value?: string | null
}
export interface ActionResult {
  id: string
  number?: string
  ok: boolean
  state?: string
  problem?: { title?: string; detail?: string; errors?: ProblemField[] } | null
}

export interface CellProblem {
  sheet: string
  row: number
  column: string
  letter?: string
  value: string | null
  code: string
  message: string
}
export type ImportState = 'waiting' | 'reading' | 'checked' | 'storing' | 'done' | 'failed' | 'discarded'
export interface ImportTask {
  id: string
  kind: string
  state: ImportState
  file_name: string
  batch_no: string
  strategy_name?: string | null
  rows: number
  documents: number
  accepted: number
  rejected: number
  errors?: CellProblem[]
  errors_total?: number
  repairs?: CellProblem[]
  failure?: ProblemField | null
  created_at: string
  created_by?: string | null
}

export interface Strategy {
  id: string
  name: string
  trade_mode: string
  kind: string
  defaults?: Record<string, string>
  enabled: boolean
}

export interface DeviceKey {
  id: string
  label: string
  enterprise_code: string
  algorithm: string
  /** where it is kept, in words */
  device: string
  /** false: a software token, and the pages say so */
  hardware: boolean
  certificate_serial: string
  not_before: string
  not_after: string
  /** the key that signs now */
  active: boolean
  state: 'usable' | 'expired' | 'unavailable'
  fingerprint: string
}

export interface Client {
  id: string
  name: string
  enterprise_code: string
  from: string | null
  to: string | null
  kinds: string[]
  actions: string[]
}
export interface SessionInfo {
  user: { id: string; username: string; name: string }
  tenant: { id: string; name: string }
  enterprise: { code: string; name: string }
  roles: string[]
  permissions: string[]
  clients: Client[]
  client: Client | null
  /** the client one acted for is no longer: its mandate ended or was taken back */
  mandate_ended: boolean
  csrf_token: string
}
export interface SearchHit {
  id: string
  kind: string
  number: string
  state: string
  state_text?: string
  stored_at?: string
}
export interface CodeItem {
  code: string
  zh: string
  en?: string | null
}

/** One entry of the `document.state` event. */
export interface StateChange {
  id: string
  number?: string
  state: string
  customs_status?: string | null
  version: number
  settled: boolean
  updated_at?: string
  return_info?: string | null
}
export interface ImportProgress {
  id: string
  kind: string
  state: ImportState
  rows: number
  documents: number
  accepted: number
  rejected: number
}
