// The batch number: logistics short code + yyyymmdd + enterprise short code + two-digit serial, capitals and digits.
// The server decides; this only tells a slip of the finger at once.

export type BatchFault = { kind: 'form' } | { kind: 'date'; date: string } | null

export function batchFault(value: string): BatchFault {
  const text = value.trim()
  if (!text) return null // empty = the system proposes one
  const dates = [...text.matchAll(/(?=(\d{8}))/g)].map((m) => ({ at: m.index, date: m[1] as string }))
  if (!/^[A-Z0-9]{14,30}$/.test(text) || !/\d{2}$/.test(text)) return { kind: 'form' }
  const fitting = dates.filter((d) => d.at >= 2 && d.at + 8 <= text.length - 4)
  if (!fitting.length) return { kind: 'form' }
  return fitting.some((d) => isDay(d.date)) ? null : { kind: 'date', date: fitting[0]?.date ?? '' }
}

function isDay(text: string): boolean {
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(4, 6)), Number(text.slice(6, 8))]
  const at = new Date(Date.UTC(year, month - 1, day))
  return year >= 2000 && at.getUTCMonth() === month - 1 && at.getUTCDate() === day
}
