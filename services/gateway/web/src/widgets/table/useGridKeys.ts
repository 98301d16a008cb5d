// The keyboard in the table of documents: one row, one cell or one head has the focus, and keeps it while rows change,
// scroll out of view or are read anew.
import { nextTick, onActivated, ref, watch, type Ref } from 'vue'
import type { DocumentRow } from '@/api/types'
import { rangeOf } from '@/lib/range'
import { scrollTo } from '@/lib/span'
import type { placed } from './layout'
import type { useViewport } from './useViewport'

/** px a column grows or shrinks by one key */
const WIDER = 16

export interface GridKeysOptions {
  box: Ref<HTMLElement | undefined>
  view: ReturnType<typeof useViewport>
  layout: () => ReturnType<typeof placed>
  rows: () => readonly DocumentRow[]
  isPicked: (row: DocumentRow) => boolean
  toggle: (row: DocumentRow) => void
  pick: (rows: DocumentRow[]) => void
  open: (row: DocumentRow) => void
  receipts: (row: DocumentRow) => void
  sort: (column: string) => void
  resize: (name: string, width: number) => void
  move: (name: string, by: number) => void
}

export function useGridKeys(grid: GridKeysOptions) {
  const { view } = grid
  /** the row that has, or had last, the focus; '' = the first */
  const row = ref('')
  /** the cell in it, or the head; '' = the whole row */
  const column = ref('')
  /** where a range of ticks begins */
  let anchor = ''

  const indexOf = (id: string) => grid.rows().findIndex((one) => one.id === id)
  const index = () => Math.max(0, indexOf(row.value))
  const current = () => grid.rows()[index()]
  const names = () => grid.layout().all.map((place) => place.column.name)
  const head = () => (names().includes(column.value) ? column.value : (names()[0] ?? ''))

  async function focus(selector: string): Promise<void> {
    await nextTick()
    grid.box.value?.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true })
  }
  const cellOf = (name: string) => (name ? ` > [data-column="${name}"]` : '')
  const focusHere = () => focus(`tr[data-id="${CSS.escape(current()?.id ?? '')}"]${cellOf(column.value)}`)
  const focusHead = () => focus(`thead tr${cellOf(head())}`)

  function show(): void {
    const high = view.rowHeight.value
    const top = scrollTo(index() * high, (index() + 1) * high, view.top.value, view.height.value - high)
    view.to(Math.max(0, top), aside())
  }
  /** How far to the side one has to scroll to see the cell. */
  function aside(): number {
    const { loose, pinnedTo } = grid.layout()
    const place = loose.find((one) => one.column.name === column.value)
    if (!place) return view.left.value
    const start = place.left - pinnedTo
    return scrollTo(start, start + place.width, view.left.value, view.width.value - pinnedTo)
  }
  function goRow(to: number): void {
    const found = grid.rows()[Math.min(Math.max(to, 0), grid.rows().length - 1)]
    if (!found) return
    row.value = found.id
    show()
    void focusHere()
  }
  function goColumn(by: number, inHead: boolean): void {
    const all = names()
    const least = inHead ? 0 : -1
    column.value = all[Math.min(Math.max(all.indexOf(column.value) + by, least), all.length - 1)] ?? ''
    view.to(view.top.value, column.value ? aside() : view.left.value)
    void (inHead ? focusHead() : focusHere())
  }
  function tick(one: DocumentRow, range: boolean): void {
    if (range && anchor) grid.pick(rangeOf(grid.rows(), anchor, one.id))
    else grid.toggle(one)
    if (!range || !anchor) anchor = one.id
  }
  /** Shift with an arrow takes the next row into the selection. */
  function stretch(by: number): void {
    const from = current()
    if (!from) return
    if (!anchor || !grid.isPicked(from)) anchor = from.id
    goRow(index() + by)
    const to = current()
    if (to) grid.pick(rangeOf(grid.rows(), anchor, to.id))
  }

  function onBodyKey(event: KeyboardEvent): void {
    const one = current()
    if (!one || event.isComposing || event.altKey) return
    // what stands in a cell keeps its own keys; the arrows belong to the table everywhere
    const own = event.target instanceof HTMLElement && ['INPUT', 'BUTTON'].includes(event.target.tagName)
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const page = Math.max(1, Math.floor(view.height.value / view.rowHeight.value) - 2)
    const leap = { PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key]
    const aside = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === 'a') grid.pick([...grid.rows()])
      else if (event.key.toLowerCase() === 'c' && copies()) return
      else return
    } else if (step && event.shiftKey) stretch(step)
    else if (step === -1 && index() === 0) void focusHead()
    else if (step) goRow(index() + step)
    else if (leap) goRow(index() + leap)
    else if (aside) goColumn(aside, false)
    else if (own) return
    else if (event.key === ' ') tick(one, event.shiftKey)
    else if (event.key === 'Enter') (column.value === 'state' ? grid.receipts : grid.open)(one)
    else return
    event.preventDefault()
  }
  /** The words of the cell, or of the row with tabs between, go to the clipboard unless something is marked. */
  function copies(): boolean {
    if (window.getSelection()?.toString()) return true
    const here = grid.box.value?.querySelector<HTMLElement>(':focus')
    const cells = here?.matches('td') ? [here] : [...(here?.querySelectorAll<HTMLElement>('[data-column]') ?? [])]
    const words = cells.map((cell) => cell.innerText.trim()).join('\t')
    if (words) void navigator.clipboard?.writeText(words)
    return true
  }
  function onHeadKey(event: KeyboardEvent): void {
    const name = head()
    const place = grid.layout().all.find((one) => one.column.name === name)
    if (!place || event.altKey || (event.target as HTMLElement).tagName === 'INPUT') return
    const aside = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (aside && event.shiftKey) grid.resize(name, place.width + aside * WIDER)
    else if (aside && (event.ctrlKey || event.metaKey)) {
      grid.move(name, aside)
      void focusHead()
    } else if (aside) {
      column.value = name
      goColumn(aside, true)
    } else if (event.key === 'ArrowDown') goRow(index())
    else if ((event.key === 'Enter' || event.key === ' ') && place.column.sortable) grid.sort(name)
    else return
    event.preventDefault()
  }
  /** Focus that came by mouse or from a dialog is where the keys go on. */
  function onFocus(event: FocusEvent): void {
    const target = event.target as HTMLElement
    const cell = target.closest<HTMLElement>('[data-column]')
    const line = target.closest<HTMLElement>('tr[data-id]')
    if (line) row.value = line.dataset.id ?? ''
    if (line || cell) column.value = cell?.dataset.column ?? ''
  }
  /** A row that goes hands the focus on to the one that takes its place. */
  watch(
    () => grid.rows(),
    (now, before) => {
      if (!before.length || !row.value || now.some((one) => one.id === row.value)) return
      const at = Math.min(
        before.findIndex((one) => one.id === row.value),
        now.length - 1,
      )
      const had = grid.box.value?.querySelector('tbody')?.contains(document.activeElement)
      row.value = now[Math.max(0, at)]?.id ?? ''
      if (had) void focusHere()
    },
  )
  let left = false
  onActivated(() => {
    // the tab is shown again: the keys go on where they were, unless something else took the focus
    if (left && row.value && document.activeElement === document.body) void focusHere()
    left = true
  })
  return { row, column, index, head, tick, onBodyKey, onHeadKey, onFocus }
}
