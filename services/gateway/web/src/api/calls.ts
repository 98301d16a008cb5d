// Every call the pages make, by name. Paths and methods stand here and nowhere else.
import { download, request, text, upload, type Query } from './client'
import type {
  Challenge,
  DeviceKey,
  EdgeAgent,
  LedgerRow,
  NewAgent,
  PoolDevice,
  SigningCard,
  WaitingMessage,
} from './signing'
import type {
  ActionResult,
  Body,
  Chain,
  Clearance,
  CodeItem,
  Comparison,
  Daily,
  Diagnosis,
  Editor,
  DocumentFull,
  DocumentRow,
  ExportJob,
  ImportTask,
  Kind,
  KindBrief,
  Mapping,
  MappingProposal,
  Overview,
  Page,
  RawMessage,
  Receipt,
  Refusals,
  SearchHit,
  SessionInfo,
  SigningDevices,
  Strategy,
  Task,
  TaskDocument,
  TaskFull,
  TimelineItem,
  Version,
} from './types'

type Raw = Record<string, unknown>
/** Work that goes on after its call has been answered: whose end the person wants to hear of (stores/notices.ts). */
export type Begun =
  { what: 'import' | 'export'; kind: string; id: string } | { what: 'document'; kind: string; results: ActionResult[] }
let onBegun: (work: Begun) => void = () => undefined
export function whenBegun(handler: (work: Begun) => void): void {
  onBegun = handler
}
const part = encodeURIComponent

export const session = {
  read: () => request<Raw>('GET', '/session'),
  /** without keeping it alive */
  look: () => request<Raw>('GET', '/session', { headers: { 'X-Background': '1' } }),
  signIn: (username: string, password: string) => request<Raw>('POST', '/session', { body: { username, password } }),
  /** The user's card is asked; what comes does not tell whether there is such a user. */
  askCard: (username: string) =>
    request<{ code: string; expires_at: string }>('POST', '/session/card', { body: { username } }),
  /** `{state: 'waiting'}` until the card has signed, then what `signIn` answers. */
  byCard: () => request<Raw>('POST', '/session/card/complete'),
  signOut: () => request<void>('DELETE', '/session'),
  client: (clientId: string | null) => request<Raw>('POST', '/session/client', { body: { client_id: clientId } }),
}

export const preferences = {
  read: () => request<{ items: Record<string, unknown> }>('GET', '/preferences'),
  // keepalive: also the last change before a window closes arrives
  put: (name: string, value: unknown) =>
    request<void>('PUT', `/preferences/${part(name)}`, { body: { value }, keepalive: true }),
  remove: (name: string) => request<void>('DELETE', `/preferences/${part(name)}`, { keepalive: true }),
}

export const kinds = {
  list: () => request<Page<KindBrief>>('GET', '/kinds'),
  read: (kind: string) => request<Kind>('GET', `/kinds/${part(kind)}`),
  template: (kind: string) => download(`/kinds/${part(kind)}/template.xlsx`, `${kind}.xlsx`),
}

const one = (kind: string, id: string) => `/documents/${part(kind)}/${part(id)}`

const rawMessage = (kind: string, id: string, message: string) => `${one(kind, id)}/messages/${part(message)}.xml`

export const documents = {
  query: (kind: string, query: Query, signal?: AbortSignal) =>
    request<Page<DocumentRow>>('GET', `/documents/${part(kind)}`, { query, signal }),
  read: (kind: string, id: string) => request<DocumentFull>('GET', one(kind, id)),
  create: (kind: string, body: Body) => request<DocumentFull>('POST', `/documents/${part(kind)}`, { body }),
  replace: (kind: string, id: string, etag: string, body: Body) =>
    request<DocumentFull>('PUT', one(kind, id), { body, headers: { 'If-Match': etag } }),
  timeline: (kind: string, id: string) => request<{ items: TimelineItem[] }>('GET', `${one(kind, id)}/timeline`),
  receipts: (kind: string, id: string) => request<{ items: Receipt[] }>('GET', `${one(kind, id)}/receipts`),
  versions: (kind: string, id: string) => request<{ items: Version[] }>('GET', `${one(kind, id)}/versions`),
  comparison: (kind: string, id: string) => request<Comparison>('GET', `${one(kind, id)}/comparison`),
  links: (kind: string, id: string) => request<Chain>('GET', `${one(kind, id)}/links`),
  diagnosis: (kind: string, id: string) => request<Diagnosis>('GET', `${one(kind, id)}/diagnosis`),
  /** Also says that one has the form open oneself; asked again and again, so it is kept under no key. */
  editors: (kind: string, id: string) =>
    request<{ items: Editor[] }>('PUT', `${one(kind, id)}/editors`, { repeated: true }),
  leaveEditing: (kind: string, id: string) =>
    request<void>('DELETE', `${one(kind, id)}/editors`, { repeated: true, keepalive: true }),
  messages: (kind: string, id: string) => request<{ items: RawMessage[] }>('GET', `${one(kind, id)}/messages`),
  messageText: (kind: string, id: string, message: string) => text(rawMessage(kind, id, message)),
  saveMessage: (kind: string, id: string, message: string) => download(rawMessage(kind, id, message), 'message.xml'),
  print: (kind: string, id: string, name: string) => download(`${one(kind, id)}/print.pdf`, name),
  printTable: (kind: string, query: Query) => download(`/documents/${part(kind)}/print.pdf`, `${kind}.pdf`, query),
  exportNow: (kind: string, query: Query) => download(`/documents/${part(kind)}/export.xlsx`, `${kind}.xlsx`, query),
  exportLater: async (kind: string, query: Query) => {
    const job = await request<ExportJob>('POST', `/documents/${part(kind)}/exports`, { query })
    onBegun({ what: 'export', kind, id: job.id })
    return job
  },
  act: async (kind: string, action: string, ids: string[]) => {
    const path = `/documents/${part(kind)}/actions/${part(action)}`
    const answer = await request<{ results: ActionResult[] }>('POST', path, { body: { ids } })
    onBegun({ what: 'document', kind, results: answer.results })
    return answer
  },
}

export const exports = {
  read: (id: string) => request<ExportJob>('GET', `/exports/${part(id)}`),
  file: (id: string, name: string) => download(`/exports/${part(id)}/file.xlsx`, name),
  discard: (id: string) => request<void>('DELETE', `/exports/${part(id)}`),
}

/** Lists chosen one by one, or all of a consignor that were closed in a period. */
export type SummaryWish =
  { ids: string[] } | { ebc_code: string; from: string; to: string; statistics_flag?: string; customs_code?: string }
export const summary = {
  build: (wish: SummaryWish) =>
    request<{ items: { id: string; number: string }[] }>('POST', '/documents/summary-application/build', {
      body: wish,
    }),
}

export const mappings = {
  list: (kind: string) => request<Page<Mapping>>('GET', '/import-mappings', { query: { kind } }),
  create: (mapping: Omit<Mapping, 'id'>) => request<Mapping>('POST', '/import-mappings', { body: mapping }),
  replace: ({ id, etag, name, columns, constants }: Mapping) =>
    request<Mapping>('PUT', `/import-mappings/${part(id)}`, {
      body: { name, columns, constants },
      headers: { 'If-Match': etag ?? '' },
    }),
  remove: (id: string) => request<void>('DELETE', `/import-mappings/${part(id)}`),
  propose: (form: FormData) => upload<MappingProposal>('/import-mappings/proposal', form, () => undefined),
}

export const tasks = {
  list: (query: Query, signal?: AbortSignal) => request<Page<Task>>('GET', '/tasks', { query, signal }),
  read: (id: string) => request<TaskFull>('GET', `/tasks/${part(id)}`),
  create: (task: { task_no?: string; strategy: string; customer_no?: string; kind: string }) =>
    request<Task>('POST', '/tasks', { body: task }),
  remove: (id: string) => request<void>('DELETE', `/tasks/${part(id)}`),
  generate: (id: string) => request<Task>('POST', `/tasks/${part(id)}/generate`),
  giveUp: (id: string) => request<Task>('POST', `/tasks/${part(id)}/give-up`),
  documents: (query: Query, signal?: AbortSignal) =>
    request<Page<TaskDocument>>('GET', '/tasks/documents', { query, signal }),
}

export const imports = {
  list: (kind: string) => request<Page<ImportTask>>('GET', '/imports', { query: { kind } }),
  read: (id: string) => request<ImportTask>('GET', `/imports/${part(id)}`),
  start: async (form: FormData, onProgress: (share: number) => void, signal?: AbortSignal) => {
    const begun = await upload<{ id: string }>('/imports', form, onProgress, signal)
    onBegun({ what: 'import', kind: String(form.get('kind') ?? ''), id: begun.id })
    return begun
  },
  keepValid: (id: string) => request<ImportTask>('POST', `/imports/${part(id)}/keep-valid`),
  retry: (id: string) => request<ImportTask>('POST', `/imports/${part(id)}/retry`),
  discard: (id: string) => request<void>('DELETE', `/imports/${part(id)}`),
  errorsWorkbook: (id: string) => download(`/imports/${part(id)}/errors.xlsx`, 'errors.xlsx'),
  proposeBatch: (strategy: string) =>
    request<{ batch_no: string }>('GET', '/batch-numbers/proposal', { query: { strategy } }),
}

export const strategies = { list: () => request<Page<Strategy>>('GET', '/strategies') }

export const devices = {
  list: () => request<Page<DeviceKey>>('GET', '/devices'),
  activate: (id: string) => request<DeviceKey>('POST', `/devices/${part(id)}/actions/activate`),
  confirm: (id: string) => request<Challenge>('POST', `/devices/${part(id)}/actions/confirm`),
  challenge: (id: string) => request<Challenge>('GET', `/devices/challenges/${part(id)}`),
  pool: () => request<{ items: PoolDevice[] }>('GET', '/devices/pool'),
  cards: () => request<Page<SigningCard>>('GET', '/devices/cards'),
  register: (fingerprint: string, label: string) =>
    request<DeviceKey>('POST', `/devices/cards/${part(fingerprint)}/actions/register`, { body: { label } }),
}

export const edgeAgents = {
  list: () => request<Page<EdgeAgent>>('GET', '/edge-agents'),
  create: (name: string) => request<NewAgent>('POST', '/edge-agents', { body: { name } }),
  renewCode: (id: string) => request<NewAgent>('POST', `/edge-agents/${part(id)}/actions/renew-code`),
  revoke: (id: string) => request<EdgeAgent>('POST', `/edge-agents/${part(id)}/actions/revoke`),
}

export const signingQueue = {
  list: (query: Query, signal?: AbortSignal) =>
    request<Page<WaitingMessage>>('GET', '/signing-queue', { query, signal }),
  withdraw: (ids: string[]) =>
    request<{ results: ActionResult[] }>('POST', '/signing-queue/actions/withdraw', { body: { message_ids: ids } }),
}

export const ledger = {
  list: (query: Query, signal?: AbortSignal) =>
    request<Page<LedgerRow> & { chain_valid: boolean }>('GET', '/ledger', { query, signal }),
}

export const stats = {
  overview: (kind: string) => request<Overview>('GET', '/stats/overview', { query: { kind } }),
  daily: (kind: string) => request<Daily>('GET', '/stats/daily', { query: { kind } }),
  refusals: (kind: string, days: { from: string; to: string }) =>
    request<Refusals>('GET', '/stats/refusals', { query: { kind, ...days } }),
  clearance: (kind: string) => request<Clearance>('GET', '/stats/clearance', { query: { kind } }),
  devices: () => request<SigningDevices>('GET', '/stats/devices'),
}

export const search = (q: string, signal?: AbortSignal) =>
  request<Page<SearchHit>>('GET', '/search', { query: { q }, signal })
export const codes = (table: string, q: string, size?: number) =>
  request<Page<CodeItem>>('GET', `/code-tables/${part(table)}`, { query: { q, page_size: size } })

export type { SessionInfo }
