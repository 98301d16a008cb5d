// The rows from one to another, both included, whichever stands first.
export function rangeOf<T extends { id: string }>(rows: readonly T[], from: string, to: string): T[] {
  const at = rows.findIndex((row) => row.id === from)
  const end = rows.findIndex((row) => row.id === to)
  if (end < 0) return []
  // where it began is on another page by now: only the row itself
  if (at < 0) return rows.slice(end, end + 1)
  return rows.slice(Math.min(at, end), Math.max(at, end) + 1)
}
