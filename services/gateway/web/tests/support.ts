// A small made-up kind and rows of it: the pages must draw any declaration, so the tests use none of the real ones.
import type { DocumentRow, Kind, KindBrief } from '@/api/types'

const label = (zh: string, en: string) => ({ zh, en })

export const KIND: Kind = {
  kind: 'parcel',
  title: label('包裹单', 'Parcel note'),
  number_field: 'parcelNo',
  head: [
    { name: 'parcelNo', label: label('包裹编号', 'Parcel number'), type: 'code', required: true, area: 'main' },
    {
      name: 'flag',
      label: label('标志', 'Flag'),
      type: 'code',
      required: true,
      area: 'main',
      choices: [{ value: 'A', label: label('甲类', 'Class A') }],
    },
    { name: 'worth', label: label('价值', 'Worth'), type: 'decimal', scale: 5, required: true, area: 'main' },
    { name: 'money', label: label('币制', 'Currency'), type: 'code', code_table: 'currency', required: true },
    { name: 'time', label: label('时间', 'Time'), type: 'datetime', required: false },
  ],
  lines: [
    { name: 'no', label: label('序号', 'No.'), type: 'integer', required: true },
    { name: 'totalPrice', label: label('总额', 'Total'), type: 'decimal', required: true },
  ],
  line_number: 'no',
  conditions: [
    { name: 'parcelNo', label: label('包裹编号', 'Parcel number'), type: 'text', match: 'prefix' },
    {
      name: 'flag',
      label: label('标志', 'Flag'),
      type: 'choice',
      choices: [{ value: 'A', label: label('甲类', 'Class A') }],
    },
    { name: 'batch_no', label: label('商品批次号', 'Batch number'), type: 'text', match: 'equals' },
    { name: 'left_at', label: label('离境日期', 'Left'), type: 'daterange' },
  ],
  columns: [
    { name: 'number', label: label('包裹编号', 'Parcel number'), sortable: true, default: true, fixed: true },
    { name: 'state', label: label('状态', 'State'), default: true },
    { name: 'flag', label: label('标志', 'Flag'), default: true },
    { name: 'worth', label: label('价值', 'Worth'), align: 'right', default: true },
    { name: 'money', label: label('币制', 'Currency'), default: false },
    { name: 'stored_at', label: label('入库时间', 'Stored'), sortable: true, default: true },
  ],
  states: [
    { name: 'draft', label: label('暂存', 'Draft'), colour: 'grey', settled: false },
    { name: 'rejected', label: label('退单', 'Rejected'), colour: 'red', settled: false },
    { name: 'sent', label: label('已发送', 'Sent'), colour: 'blue', settled: false },
    { name: 'released', label: label('放行', 'Released'), colour: 'green', settled: true },
  ],
  actions: [
    { name: 'edit', label: label('修改', 'Edit'), states: ['draft'], batch: false, permission: 'document.write' },
    { name: 'delete', label: label('删除', 'Delete'), states: ['draft'], batch: true, permission: 'document.delete' },
    {
      name: 'declare',
      label: label('提交海关', 'Submit'),
      states: ['draft', 'rejected'],
      batch: true,
      permission: 'document.declare',
      confirm: label('确认提交？', 'Submit?'),
    },
  ],
  areas: [{ name: 'main', label: label('主要', 'Main') }],
}

const page = (id: string, group: KindBrief['page_sets'][number]['group'], states: string[] = [], entry = false) => ({
  id,
  title: label(`页面${id}`, `Page ${id}`),
  group,
  states,
  entry,
})
/** What GET /kinds answers: pages in their groups, not in the order of their numbers. */
export const BRIEFS: KindBrief[] = [
  {
    kind: 'order',
    title: label('订单', 'Order'),
    received: false,
    senders: ['ecommerce'],
    page_sets: [page('A5', 'trade', [], true), page('A1', 'trade', ['draft'])],
  },
  {
    kind: 'booking',
    title: label('订仓单', 'Booking'),
    received: false,
    senders: ['ecommerce'],
    page_sets: [page('A6', 'trade', [], true)],
  },
  {
    kind: 'parcel',
    title: label('包裹单', 'Parcel note'),
    received: false,
    senders: ['operator'],
    page_sets: [page('B10', 'logistics'), page('B3', 'logistics', ['draft', 'rejected'], true)],
  },
  {
    kind: 'list',
    title: label('清单', 'List'),
    received: false,
    senders: ['ecommerce'],
    page_sets: [page('C1', 'lists', [], true), page('C2', 'lists', [], true), page('C3', 'lists', ['draft'], true)],
  },
]

export function row(id: string, changes: Partial<DocumentRow> = {}): DocumentRow {
  return {
    id,
    kind: 'parcel',
    number: `P-${id}`,
    state: 'draft',
    customs_status: null,
    settled: false,
    stored_at: '2026-11-20T15:04:00+08:00',
    updated_at: '2026-11-20T15:04:00+08:00',
    version: 1,
    batch_no: 'SF20261120TY01',
    columns: { flag: 'A', worth: '12.50000', money: '502' },
    return_info: null,
    ...changes,
  }
}

/** Answers of the server at the edge of the browser: path (with query) → body, or a status with a problem. */
export type Answers = Record<string, unknown | (() => unknown)>
export interface Sent {
  method: string
  url: string
  headers: Record<string, string>
  body: unknown
}

export function serve(answers: Answers): Sent[] {
  const sent: Sent[] = []
  globalThis.fetch = ((url: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET'
    const one: Sent = {
      method,
      url,
      headers: init.headers as Record<string, string>,
      body: init.body ? JSON.parse(init.body as string) : undefined,
    }
    sent.push(one)
    const path = url.replace('/api/v1', '')
    const key = [`${method} ${path}`, `${method} ${path.split('?')[0]}`].find((k) => k in answers)
    if (!key) return Promise.reject(new TypeError(`no answer for ${method} ${path}`))
    const found = answers[key]
    const value = typeof found === 'function' ? (found as (asked: Sent) => unknown)(one) : found
    return Promise.resolve(value instanceof Response ? value : Response.json(value))
  }) as typeof fetch
  return sent
}

export const problem = (status: number, body: object, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ status, ...body }), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  })
