// What a batch action answered, read by people: the reason of each refusal, the same reasons counted, and as a text to
// take along.
import type { ActionResult } from '@/api/types'

/** so many documents are asked for at once: as many as one message to customs carries */
export const PART = 100

export interface Told {
  result: ActionResult
  number: string
  reason: string
}
export interface ReasonCount {
  text: string
  count: number
}

/** Everything the server said about it, once; '' where it said nothing. */
export function reasonOf({ problem }: ActionResult): string {
  if (!problem) return ''
  const fields = (problem.errors ?? []).map((error) => error.message)
  const said = [problem.detail || problem.title, ...fields].filter((one): one is string => !!one)
  const parting = (before: string) => (/。$/.test(before) ? '' : /[.!]$/.test(before) ? ' ' : '；')
  return [...new Set(said)].reduce((all, one) => (all ? all + parting(all) + one : one), '')
}

/** Reasons differ by the number they name: without it they can be counted. */
export const sameReason = ({ number, reason }: Told): string => reason.replaceAll(number, '…').trim()

export function countReasons(told: readonly Told[]): ReasonCount[] {
  const counts = new Map<string, number>()
  for (const one of told) counts.set(sameReason(one), (counts.get(sameReason(one)) ?? 0) + 1)
  return [...counts].map(([text, count]) => ({ text, count })).sort((a, b) => b.count - a.count)
}

export function partsOf<T>(all: readonly T[], size = PART): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}

const oneLine = (text: string) => text.replace(/[\t\r\n]+/g, ' ')
/** To be pasted into a sheet. */
export const asTabbed = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => row.map(oneLine).join('\t')).join('\n')

/** A spreadsheet must not take a text for a formula; the mark at the beginning says that it is UTF-8. */
export function asCsv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => `"${(/^[=+\-@\t]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  return '\ufeff' + rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n'
}
