// Every call the pages make, by name. Paths and methods stand here and nowhere else.
import { download, request, upload, type Query } from './client'
import type {
  ActionResult,
  CodeItem,
  DeviceKey,
  DocumentFull,
  DocumentRow,
  ImportTask,
  Kind,
  Page,
  Receipt,
  SearchHit,
  SessionInfo,
  Strategy,
  TimelineItem,
} from './types'

type Raw = Record<string, unknown>
const part = encodeURIComponent

export const session = {
  read: () => request<Raw>('GET', '/session'),
  signIn: (username: string, password: string) => request<Raw>('POST', '/session', { body: { username, password } }),
  signOut: () => request<void>('DELETE', '/session'),
  client: (clientId: string | null) => request<Raw>('POST', '/session/client', { body: { client_id: clientId } }),
}

export const kinds = {
  read: (kind: string) => request<Kind>('GET', `/kinds/${part(kind)}`),
  template: (kind: string) => download(`/kinds/${part(kind)}/template.xlsx`, `${kind}.xlsx`),
}

export const documents = {
  query: (kind: string, query: Query, signal?: AbortSignal) =>
    request<Page<DocumentRow>>('GET', `/documents/${part(kind)}`, { query, signal }),
  read: (kind: string, id: string) => request<DocumentFull>('GET', `/documents/${part(kind)}/${part(id)}`),
  timeline: (kind: string, id: string) =>
    request<{ items: TimelineItem[] }>('GET', `/documents/${part(kind)}/${part(id)}/timeline`),
  receipts: (kind: string, id: string) =>
    request<{ items: Receipt[] }>('GET', `/documents/${part(kind)}/${part(id)}/receipts`),
  act: (kind: string, action: string, ids: string[]) =>
    request<{ results: ActionResult[] }>('POST', `/documents/${part(kind)}/actions/${part(action)}`, { body: { ids } }),
}

export const imports = {
  list: (kind: string) => request<Page<ImportTask>>('GET', '/imports', { query: { kind } }),
  read: (id: string) => request<ImportTask>('GET', `/imports/${part(id)}`),
  start: (form: FormData, onProgress: (share: number) => void, signal?: AbortSignal) =>
    upload<{ id: string }>('/imports', form, onProgress, signal),
  keepValid: (id: string) => request<ImportTask>('POST', `/imports/${part(id)}/keep-valid`),
  discard: (id: string) => request<void>('DELETE', `/imports/${part(id)}`),
  errorsWorkbook: (id: string) => download(`/imports/${part(id)}/errors.xlsx`, 'errors.xlsx'),
  proposeBatch: (strategy: string) =>
    request<{ batch_no: string }>('GET', '/batch-numbers/proposal', { query: { strategy } }),
}

export const strategies = { list: () => request<Page<Strategy>>('GET', '/strategies') }

export const devices = {
  list: () => request<Page<DeviceKey>>('GET', '/devices'),
  activate: (id: string) => request<DeviceKey>('POST', `/devices/${part(id)}/actions/activate`),
}

export const search = (q: string, signal?: AbortSignal) =>
  request<Page<SearchHit>>('GET', '/search', { query: { q }, signal })
export const codes = (table: string, q: string) =>
  request<Page<CodeItem>>('GET', `/code-tables/${part(table)}`, { query: { q } })

export type { SessionInfo }
