// Made-up kinds and documents of the sizes that are measured: a list of 30 columns, lines of 20 fields.
import type { DocumentRow, Field, Kind } from '@/api/types'
import { newLine, type Line } from '@/lib/form'
import { viewColumns, type ViewColumn } from '@/lib/fields'

const label = (zh: string) => ({ zh, en: zh })
const numeric = (i: number) => i % 4 === 3
const field = (i: number): Field => ({
  name: numeric(i) ? `total${i}` : `field${i}`,
  label: label(`第 ${i + 1} 项内容`),
  type: numeric(i) ? 'decimal' : 'text',
  length: 30,
  scale: 5,
  digits: 19,
  required: i % 3 === 0,
  filled_by: 'user',
})
const value = (row: number, i: number) => (numeric(i) ? `${row * 7 + i}.25` : `内容 ${row}-${i}`)

export const COLUMNS = 30
const OWN = ['number', 'state', 'return_info', 'stored_at', 'updated_at']
const listFields = Array.from({ length: COLUMNS - OWN.length }, (_, i) => field(i))

export const KIND: Kind = {
  kind: 'bench',
  title: label('样单'),
  number_field: 'no',
  head: [{ name: 'no', label: label('编号'), type: 'code', required: true }, ...listFields],
  lines: Array.from({ length: 20 }, (_, i) => field(i)),
  max_lines: 1_000,
  conditions: [],
  columns: listFields.map(({ name, label }) => ({ name, label, width: 120 })),
  states: [
    { name: 'draft', label: label('暂存'), colour: 'grey', settled: false },
    { name: 'sent', label: label('已发送'), colour: 'blue', settled: false },
  ],
  actions: [],
  areas: [],
}
export const columns: ViewColumn[] = viewColumns(KIND, (name) => name).filter(
  (column) => OWN.includes(column.name) || listFields.some((one) => one.name === column.name),
)

export const documents = (count: number): DocumentRow[] =>
  Array.from({ length: count }, (_, row) => ({
    id: `d${row}`,
    kind: 'bench',
    number: `TY${String(row).padStart(6, '0')}`,
    state: 'draft',
    settled: false,
    stored_at: '2026-11-20T15:04:00+08:00',
    updated_at: '2026-11-20T15:04:00+08:00',
    version: 1,
    columns: Object.fromEntries(listFields.map((one, i) => [one.name, value(row, i)])),
    return_info: '',
  }))

export const lines = (count: number): Line[] =>
  Array.from({ length: count }, (_, row) =>
    newLine(KIND, Object.fromEntries(KIND.lines.map((one, i) => [one.name, value(row, i)]))),
  )
