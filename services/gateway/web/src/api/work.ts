// Work that goes on in the background: imports, column mappings, exports, tasks. Shapes of answers, never logic.
import type { DocumentRow, ProblemField } from './types'

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
export interface ImportProgress {
  id: string
  kind: string
  state: ImportState
  rows: number
  documents: number
  accepted: number
  rejected: number
}
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
  /** since when it takes too long, and what to do */
  overdue?: { since?: string; message?: string } | null
  created_at: string
  created_by?: string | null
}

export interface ExportJob {
  id: string
  kind?: string
  state: 'waiting' | 'running' | 'done' | 'failed'
  rows: number
  done: number
  file_name?: string
  failure?: ProblemField | null
}

/** place ("head.country", "line.country") → header in the enterprise's own workbook */
export interface Mapping {
  id: string
  kind: string
  name: string
  columns: Record<string, string>
  /** place → the value of every document */
  constants: Record<string, string>
  etag?: string
}
export interface MappingProposal {
  sheet: string
  /** of the headers */
  row: number
  columns: { letter: string; header: string; field: string | null; label: string | null; by: string | null }[]
  missing: { field: string; label: string }[]
}

export type TaskState = 'draft' | 'generating' | 'generated' | 'failed'
export type PushState = 'basic' | 'pending' | 'declaring' | 'success' | 'failure'
export interface TaskReason {
  document_id: string
  number: string
  label?: string
  message: string
  pointer?: string
  value?: string | null
}
export type TaskAction = 'import' | 'generate' | 'give-up' | 'delete'
export interface Task {
  id: string
  task_no: string
  kind: string
  state: TaskState
  state_text: string
  strategy: { id: string; name: string }
  trade_mode: string
  customer_no: string | null
  documents: number
  /** how many of its documents are in each push state */
  push: Record<PushState, number>
  failure: ProblemField | null
  reasons: TaskReason[]
  reasons_total: number
  overdue: { since?: string; message?: string } | null
  actions: TaskAction[]
  created_at: string
  created_by: string
  updated_at: string
  updated_by: string
}
export interface TaskFull extends Task {
  imports: ImportTask[]
  items: TaskDocument[]
}
export interface TaskDocument {
  document: DocumentRow
  push_state: PushState
  push_state_text: string
  task_id: string
  task_no: string
  strategy_name: string
  trade_mode: string
  customer_no: string | null
  modified_by: string
}
