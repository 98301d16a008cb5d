// Two people changed the same document from the same start: what they changed at different places goes together by
// itself; where both changed the same, a person chooses. Nothing of either is lost before that.
import type { Part } from './form'

export interface Content {
  head: Part
  lines: Part[]
}
export type Side = 'mine' | 'theirs'
/** Where both changed the same. Of a whole line, `field` is "" and one of the two texts is empty: it was taken away. */
export interface Conflict {
  id: string
  /** line, from 0, of what comes out; null = head */
  line: number | null
  field: string
  base: string
  mine: string
  theirs: string
}
/** What the other one changed and nobody here did. */
export interface Taken {
  line: number | null
  /** "" = a line that came or went */
  field: string
  before: string
  after: string
}
interface MergedLine {
  values: Part
  /** stands only if this side is chosen in this conflict */
  only?: { id: string; side: Side }
}
export interface Merge {
  head: Part
  lines: MergedLine[]
  conflicts: Conflict[]
  taken: Taken[]
}

const same = (a: Part, b: Part): boolean => keyOf(a) === keyOf(b)
/** A part as one text; what is empty is not there. */
const keyOf = (part: Part): string =>
  JSON.stringify(
    Object.entries(part)
      .filter(([, value]) => value !== '')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
const told = (part: Part): string => Object.values(part).filter(Boolean).slice(0, 4).join(' · ')

export function merge(base: Content, mine: Content, theirs: Content): Merge {
  const found: Merge = { head: {}, lines: [], conflicts: [], taken: [] }
  found.head = mergePart(base.head, mine.head, theirs.head, null, found)
  const [ours, others] = [align(base.lines, mine.lines), align(base.lines, theirs.lines)]
  for (let at = -1; at < base.lines.length; at++) {
    if (at >= 0)
      mergeLine(base.lines[at] as Part, mine.lines[ours.of[at] ?? -1], theirs.lines[others.of[at] ?? -1], found)
    addLines(
      (ours.after.get(at) ?? []).map((n) => mine.lines[n] as Part),
      (others.after.get(at) ?? []).map((n) => theirs.lines[n] as Part),
      found,
    )
  }
  return found
}

/** The outcome with every conflict decided; undecided ones stand as they are here. */
export function settle(merged: Merge, choices: ReadonlyMap<string, Side>): Content {
  const head = { ...merged.head }
  const lines = merged.lines.map((line) => ({ ...line, values: { ...line.values } }))
  for (const one of merged.conflicts) {
    if (!one.field || choices.get(one.id) !== 'theirs') continue
    if (one.line === null) head[one.field] = one.theirs
    else if (lines[one.line]) (lines[one.line] as MergedLine).values[one.field] = one.theirs
  }
  const kept = lines.filter((line) => !line.only || (choices.get(line.only.id) ?? 'mine') === line.only.side)
  return { head, lines: kept.map((line) => line.values) }
}

function mergePart(base: Part, mine: Part, theirs: Part, line: number | null, found: Merge): Part {
  const part: Part = {}
  for (const field of new Set([...Object.keys(base), ...Object.keys(mine), ...Object.keys(theirs)])) {
    const [was, here, there] = [base[field] ?? '', mine[field] ?? '', theirs[field] ?? '']
    part[field] = here
    if (here === there || there === was) continue
    if (here === was) {
      part[field] = there
      found.taken.push({ line, field, before: was, after: there })
    } else {
      const id = line === null ? `head/${field}` : `lines/${line}/${field}`
      found.conflicts.push({ id, line, field, base: was, mine: here, theirs: there })
    }
  }
  return part
}

function mergeLine(base: Part, mine: Part | undefined, theirs: Part | undefined, found: Merge): void {
  const line = found.lines.length
  if (mine && theirs) {
    const values = mergePart(base, mine, theirs, line, found)
    found.lines.push({ values })
  } else if (mine || theirs) {
    const left = (mine ?? theirs) as Part
    const side: Side = mine ? 'mine' : 'theirs'
    if (same(left, base)) {
      // taken away by one, untouched by the other
      if (mine) found.taken.push({ line, field: '', before: told(base), after: '' })
      return
    }
    const id = `lines/${line}/`
    found.conflicts.push({ id, line, field: '', base: told(base), mine: told(mine ?? {}), theirs: told(theirs ?? {}) })
    found.lines.push({ values: left, only: { id, side } })
  }
}

/** New lines of both stand behind each other; the same line from both is one. */
function addLines(mine: readonly Part[], theirs: readonly Part[], found: Merge): void {
  const own = mine.map(keyOf)
  for (const values of theirs) {
    const twin = own.indexOf(keyOf(values))
    if (twin >= 0) {
      own[twin] = ''
      continue
    }
    found.taken.push({ line: found.lines.length, field: '', before: '', after: told(values) })
    found.lines.push({ values: { ...values } })
  }
  for (const values of mine) found.lines.push({ values: { ...values } })
}

interface Alignment {
  /** place in the other of each line of the base; -1 = taken away */
  of: number[]
  /** new lines of the other, by the base line they stand behind (-1 = before all) */
  after: Map<number, number[]>
}
/** beyond so many comparisons lines are matched by their place alone */
const MOST = 1_000_000

/** Which lines are the same line: untouched ones first, what is between them by likeness or place. */
export function align(base: readonly Part[], other: readonly Part[]): Alignment {
  const of = new Array<number>(base.length).fill(-1)
  const [a, b] = [base.map(keyOf), other.map(keyOf)]
  for (const [i, j] of common(a, b)) of[i] = j
  let [i, j] = [0, 0]
  while (i <= base.length) {
    let end = i
    while (end < base.length && of[end] === -1) end++
    const until = end < base.length ? (of[end] as number) : other.length
    pair(base, other, [i, end], [j, until], of)
    i = end + 1
    j = until + 1
  }
  const after = new Map<number, number[]>()
  const used = new Map(of.map((place, at) => [place, at]))
  let behind = -1
  other.forEach((_, place) => {
    const at = used.get(place)
    if (at !== undefined) behind = at
    else after.set(behind, [...(after.get(behind) ?? []), place])
  })
  return { of, after }
}

/** Changed lines between two untouched ones. */
function pair(
  base: readonly Part[],
  other: readonly Part[],
  [from, to]: [number, number],
  [start, end]: [number, number],
  of: number[],
): void {
  if (to - from === end - start) {
    for (let i = from; i < to; i++) of[i] = start + (i - from)
    return
  }
  let next = start
  for (let i = from; i < to; i++) {
    let best = -1
    let most = 0.5
    for (let j = next; j < end; j++) {
      const likeness = alike(base[i] as Part, other[j] as Part)
      if (likeness > most) [best, most] = [j, likeness]
    }
    if (best < 0) continue
    of[i] = best
    next = best + 1
  }
}

function alike(a: Part, b: Part): number {
  const names = Object.keys({ ...a, ...b }).filter((name) => a[name] || b[name])
  return names.length ? names.filter((name) => a[name] === b[name]).length / names.length : 0
}

/** The longest common run of lines, as pairs of places. */
function common(a: readonly string[], b: readonly string[]): [number, number][] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const pairs: [number, number][] = Array.from({ length: head }, (_, i) => [i, i])
  const [m, n] = [a.length - head - tail, b.length - head - tail]
  if (m * n <= MOST) {
    const longest = Array.from({ length: m + 1 }, () => new Uint16Array(n + 1))
    const cell = (i: number, j: number) => longest[i]?.[j] ?? 0
    for (let i = m - 1; i >= 0; i--)
      for (let j = n - 1; j >= 0; j--)
        (longest[i] as Uint16Array)[j] =
          a[head + i] === b[head + j] ? cell(i + 1, j + 1) + 1 : Math.max(cell(i + 1, j), cell(i, j + 1))
    for (let i = 0, j = 0; i < m && j < n;) {
      if (a[head + i] === b[head + j]) pairs.push([head + i++, head + j++])
      else if (cell(i + 1, j) >= cell(i, j + 1)) i++
      else j++
    }
  }
  for (let k = tail; k > 0; k--) pairs.push([a.length - k, b.length - k])
  return pairs
}
