// Which rows and columns of a table are in view: only those are put on the page, and a few beyond.

/** first included, last excluded */
export interface Span {
  from: number
  to: number
}

/** rows drawn beyond each edge of the view */
const BEYOND = 6
/** the span moves in steps of so many rows: most scroll events change nothing */
const STEP = 4
/** px of columns drawn beyond each edge of the view */
const ASIDE = 120

export function rowSpan(scrolled: number, room: number, height: number, count: number): Span {
  const first = Math.floor(Math.max(0, scrolled) / height) - BEYOND
  const last = Math.ceil((Math.max(0, scrolled) + room) / height) + BEYOND
  const from = Math.floor(Math.max(0, first) / STEP) * STEP
  const to = Math.ceil(last / STEP) * STEP
  return { from: Math.min(from, count), to: Math.min(Math.max(to, 0), count) }
}

/** Columns given by their left edges, the right edge of the last at the end. */
export function columnSpan(edges: readonly number[], scrolled: number, room: number): Span {
  const count = edges.length - 1
  let from = 0
  while (from < count && (edges[from + 1] ?? 0) <= scrolled - ASIDE) from++
  let to = from
  while (to < count && (edges[to] ?? 0) < scrolled + room + ASIDE) to++
  return { from, to }
}

export function edgesOf(widths: readonly number[], start = 0): number[] {
  const edges = [start]
  for (const width of widths) edges.push((edges.at(-1) ?? 0) + width)
  return edges
}

/** The least scrolling after which the piece from `start` to `end` lies within the room. */
export function scrollTo(start: number, end: number, scrolled: number, room: number): number {
  if (start < scrolled || end - start > room) return start
  return end > scrolled + room ? end - room : scrolled
}

export const sameSpan = (a: Span | undefined, b: Span): boolean => a?.from === b.from && a.to === b.to

/** The numbers of a span, and one outside of it where the focus is. */
export function within(span: Span, also: number): number[] {
  const all = Array.from({ length: span.to - span.from }, (_, i) => span.from + i)
  if (also < 0 || (also >= span.from && also < span.to)) return all
  return also < span.from ? [also, ...all] : [...all, also]
}
