// Which lines and columns of the grid are in view: only these exist on the page. Pure arithmetic in px.
export interface Span {
  from: number
  /** the first one that is not in it */
  to: number
}

/** Lines of one height, with a few more on both sides, so that a scroll does not show bare ground. */
export function rowsIn(offset: number, room: number, size: number, count: number, more = 4): Span {
  const from = Math.max(0, Math.min(Math.floor(offset / size), count) - more)
  const to = Math.min(count, Math.max(Math.ceil((offset + room) / size), 0) + more)
  return { from: Math.min(from, to), to }
}

/** Columns by where they begin; `lefts` has one entry more than there are columns: where the last one ends. */
export function columnsIn(offset: number, room: number, lefts: readonly number[], more = 1): Span {
  const count = lefts.length - 1
  let from = 0
  while (from < count - 1 && (lefts[from + 1] as number) <= offset) from++
  let to = from
  while (to < count && (lefts[to] as number) < offset + room) to++
  return { from: Math.max(0, from - more), to: Math.min(count, to + more) }
}

/** Where each column begins, and at the end where the last one ends; wider than declared where there is room to fill. */
export function leftsOf(widths: readonly number[], room: number): number[] {
  const total = widths.reduce((sum, width) => sum + width, 0)
  const stretch = total > 0 && total < room ? room / total : 1
  const lefts = [0]
  for (const width of widths) lefts.push((lefts.at(-1) as number) + Math.floor(width * stretch))
  return lefts
}

/** The least scroll after which what begins at `at` is wholly in view. */
export function scrolledTo(at: number, size: number, offset: number, room: number): number {
  if (at < offset) return at
  return at + size > offset + room ? Math.min(at, at + size - room) : offset
}
