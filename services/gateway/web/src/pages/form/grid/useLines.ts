// Every change of the lines of a form goes through here, and can be taken back: cells, pasted blocks, lines put in, copied
// and taken away. What belongs to the whole form (errors, "unsaved") is told to it.
import type { Kind } from '@/api/types'
import { duplicateLine, newLine, type Line, type Part } from '@/lib/form'
import { History, type Change, type Step } from './history'

export interface CellValue {
  at: number
  name: string
  value: string
}
/** Where a change was: the page goes there. */
export interface Spot {
  at: number
  name?: string
}
interface Tells {
  changed: (key: string) => void
  /** lines from here on have moved: this one was put in or taken away */
  moved: (at: number, by: 1 | -1, line: Line) => void
  defaults: () => Part
}
export interface Pasted {
  step: Step
  rows: number
  lostRows: number
  lostColumns: number
}
export type LineEdits = ReturnType<typeof useLines>

export function useLines(kind: Kind, form: { lines: Line[] }, tell: Tells) {
  const history = new History()
  const most = () => kind.max_lines ?? 100
  /** the cell one is typing into: all its letters are one step */
  let typing: { step: Step; change: Extract<Change, { what: 'cell' }> } | null = null

  /** Not a step of its own: for what a strategy fills in, head and lines together. */
  function put({ at, name, value }: CellValue): Change | null {
    const line = form.lines[at]
    const before = line?.values[name] ?? ''
    if (!line || before === value) return null
    line.values[name] = value
    tell.changed(`lines/${at}/${name}`)
    return { what: 'cell', at, name, before, after: value }
  }
  function putIn(at: number, line: Line): Change {
    form.lines.splice(at, 0, line)
    tell.moved(at, 1, line)
    return { what: 'in', at, line }
  }
  function takeOut(at: number): Change | null {
    const [line] = form.lines.splice(at, 1)
    if (!line) return null
    tell.moved(at, -1, line)
    return { what: 'out', at, line }
  }
  function apply(step: Step | null): Spot | null {
    let spot: Spot | null = null
    for (const change of step ?? []) {
      if (change.what === 'cell') put({ at: change.at, name: change.name, value: change.after })
      else if (change.what === 'in') putIn(change.at, change.line)
      else takeOut(change.at)
      spot = change.what === 'cell' ? { at: change.at, name: change.name } : { at: change.at }
    }
    return spot
  }

  /** A letter more in a cell: the value counts at once, the step ends with `settle`. */
  function type(cell: CellValue): void {
    const change = put(cell)
    if (change?.what !== 'cell') return
    if (typing && typing.change.at === cell.at && typing.change.name === cell.name) typing.change.after = cell.value
    else {
      typing = { step: [change], change }
      history.push(typing.step)
    }
  }
  function settle(): void {
    if (typing && typing.change.before === typing.change.after) history.drop(typing.step)
    typing = null
  }
  /** Escape: the cell has the value again with which one came to it. */
  function giveBack(): void {
    if (!typing) return
    const { at, name, before } = typing.change
    put({ at, name, value: before })
    history.drop(typing.step)
    typing = null
  }
  function set(cells: readonly CellValue[]): void {
    settle()
    history.push(cells.map(put).filter((change) => change !== null))
  }
  function insert(at: number, copyOf?: number): void {
    if (form.lines.length >= most()) return
    settle()
    const source = copyOf === undefined ? undefined : form.lines[copyOf]
    history.push([putIn(at, source ? duplicateLine(source) : newLine(kind, tell.defaults()))])
  }
  function remove(at: number, count = 1): void {
    settle()
    const step: Step = []
    for (let i = 0; i < count; i++) {
      const change = takeOut(at)
      if (change) step.push(change)
    }
    history.push(step)
  }
  /** A block of cells from this line on; lines are added for what goes beyond the last one, as many as may be. */
  function paste(at: number, names: readonly string[], cells: readonly (readonly string[])[]): Pasted {
    settle()
    const rows = Math.min(cells.length, Math.max(0, most() - at))
    const step: Step = []
    const keep = (change: Change | null) => change && step.push(change)
    for (let r = 0; r < rows; r++) {
      if (at + r >= form.lines.length) keep(putIn(form.lines.length, newLine(kind, tell.defaults())))
      cells[r]?.forEach((value, c) => names[c] && keep(put({ at: at + r, name: names[c], value })))
    }
    history.push(step)
    const widest = cells.reduce((most, row) => Math.max(most, row.length), 0)
    return { step, rows, lostRows: cells.length - rows, lostColumns: Math.max(0, widest - names.length) }
  }
  /** Another value for a cell of a block that was pasted, as part of that step; not where something else stands by now. */
  function mend(step: Step, line: Line, name: string, pasted: string, value: string): boolean {
    const at = form.lines.findIndex((one) => one.key === line.key)
    if (at < 0 || form.lines[at]?.values[name] !== pasted) return false
    put({ at, name, value })
    const cell = step.find((one) => one.what === 'cell' && one.name === name && one.at === at)
    if (cell?.what === 'cell') cell.after = value
    else step.push({ what: 'cell', at, name, before: pasted, after: value })
    return true
  }
  function undo(): Spot | null {
    settle()
    return apply(history.back())
  }
  function redo(): Spot | null {
    settle()
    return apply(history.again())
  }
  return {
    put,
    type,
    settle,
    giveBack,
    set,
    insert,
    remove,
    paste,
    mend,
    undo,
    redo,
    /** other lines stand here now: what was done to the former ones cannot be taken back */
    forget: () => {
      typing = null
      history.clear()
    },
  }
}
