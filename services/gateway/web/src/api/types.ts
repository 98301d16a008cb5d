// The shapes the HTTP API answers with. Only what the pages read; never a place for logic.
import type { Explanation, Reckoning } from './related'

export * from './related'
export * from './stats'
export * from './work'

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

export type FieldType = 'text' | 'code' | 'decimal' | 'integer' | 'datetime' | 'date'
export interface Field {
  name: string
  label: Label
  type: FieldType
  length?: number | null
  min_length?: number | null
  digits?: number | null
  scale?: number | null
  required: boolean
  code_table?: string | null
  /** the table offers codes but does not decide: others may be right, too */
  open_table?: boolean
  area?: string | null
  border?: 'customs' | 'inspection' | 'both' | null
  filled_by?: 'user' | 'strategy' | 'computed' | 'system' | 'customs'
  default?: string | null
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
  held?: boolean
  limit_minutes?: number | null
  /** why a document can rest here too long, and what to do */
  stuck?: Label | null
}
export interface ActionDef {
  name: string
  label: Label
  states: string[]
  batch: boolean
  /** kind of the documents that it makes of these: a list's cancellation, its return */
  makes?: string | null
  confirm?: Label | null
  permission?: string | null
}
export type PageGroup = 'trade' | 'logistics' | 'lists' | 'returns' | 'summary'
/** A page of the guides over one kind: the states it is about (none = all), and whether documents are entered there. */
export interface PageSet {
  id: string
  title: Label
  group: PageGroup
  states: string[]
  entry: boolean
}
/** What the menu knows of a kind; the whole declaration is read when a page needs it. */
export interface KindBrief {
  kind: string
  title: Label
  page_sets: PageSet[]
  received: boolean
  senders: string[]
}
export interface SheetColumn {
  field: string
  level: 'head' | 'line'
  label: Label
  required: boolean
}
export interface Kind {
  kind: string
  title: Label
  message?: string
  owner?: string
  pages?: string[]
  page_sets?: PageSet[]
  /** issued by customs: nobody enters or changes it */
  received?: boolean
  /** kinds of enterprise that may file it */
  senders?: string[]
  number_field: string
  number_label?: Label
  head: Field[]
  lines: Field[]
  line_number?: string | null
  min_lines?: number
  max_lines?: number
  conditions: Condition[]
  columns: Column[]
  states: StateDef[]
  actions: ActionDef[]
  sheet?: { name: string; batch: boolean; export_date: string | null; columns: SheetColumn[] } | null
  areas: { name: string; label: Label }[]
  /** numbers that follow from other numbers of the same document */
  reckoned?: Reckoning[]
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
  /** 1 for the first, one more for each amendment */
  revision?: number
  app_type?: string
  replaces?: string | null
  replaced_by?: string | null
  task_id?: string | null
  /** from then on it has rested in its state too long */
  overdue_at?: string | null
}
export type BodyPart = Record<string, string | null>
export interface Body {
  head: BodyPart
  lines: BodyPart[]
}
export interface DocumentFull extends DocumentRow {
  body: Body
  etag?: string
  created_by?: string | null
  /** what it still lacks before it can be filed; told when it is saved */
  warnings?: ProblemField[]
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
  explanation?: Explanation | null
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
  explanation?: Explanation | null
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
  /** of an amendment: the new version; of an action that makes documents: the new one */
  new_id?: string | null
  problem?: { title?: string; detail?: string; errors?: ProblemField[] } | null
}

export interface Strategy {
  id: string
  name: string
  trade_mode: string
  kind: string
  /** every kind it has something to fill into */
  kinds?: string[]
  defaults?: Record<string, string>
  enabled: boolean
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
  /** in whose name one files, and as what: the client's while one acts for a client */
  filing: { code: string; name: string; kinds: string[] }
  roles: string[]
  permissions: string[]
  /** limited to these kinds of documents; null = all */
  kinds: string[] | null
  clients: Client[]
  client: Client | null
  /** the client one acted for is no longer: its mandate ended or was taken back */
  mandate_ended: boolean
  csrf_token: string
  life: SessionLife
}
/** Seconds without anybody at work after which the session ends (0: not said), how many are left, the latest end. */
export interface SessionLife {
  idle_seconds: number
  idle_left: number
  ends_at: string
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
  pinyin?: string
  /** what each character of the name may begin with, e.g. ["cz", "q"] for 重庆 */
  initials?: string[]
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
