// What the grid does: goes from cell to cell with the control, takes and gives back what is typed, changes lines. The
// control always stands in the active cell and has the focus, so the first letter (or the first sign of an input method)
// goes straight into it.
import { computed, nextTick, type Ref } from 'vue'
import type { Field } from '@/api/types'
import type { Line } from '@/lib/form'
import { commandOf, type Command } from './keys'
import type { Cell, useCells } from './useCells'
import type { LineEdits, Spot } from './useLines'
import type { useViewport } from './useViewport'

interface Parts {
  scroller: Ref<HTMLElement | undefined>
  cells: ReturnType<typeof useCells>
  view: ReturnType<typeof useViewport>
  edits: LineEdits
  fields: () => readonly Field[]
  lines: () => readonly Line[]
  most: () => number
  leave: (key: string) => void
  /** where the focus goes when there is no line left */
  home: () => HTMLElement | null | undefined
}
type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement

export function useGrid({ scroller, cells, view, edits, fields, lines, most, leave, home }: Parts) {
  const { active, head, editing, block, several } = cells
  const full = computed(() => lines().length >= most())
  let byPointer = false

  const control = (): Control | null =>
    scroller.value?.querySelector<Control>('.active :is(input, select, textarea)') ?? null
  const isControl = (target: EventTarget | null): target is Control => !!target && target === control()

  /** What is being typed counts, whatever comes next: a code field settles as it is left. */
  function commit(): void {
    if (isControl(document.activeElement)) document.activeElement.blur()
    edits.settle()
  }
  async function focus(): Promise<void> {
    await nextTick()
    const found = control()
    if (found) found.focus({ preventScroll: true })
    else home()?.focus()
  }
  async function goTo(cell: Cell, byMouse = false): Promise<void> {
    commit()
    cells.stand(cell)
    view.show(active.row, active.column)
    await focus()
    // who works by keyboard sees the whole grid; nothing moves under a mouse
    if (!byMouse) scroller.value?.scrollIntoView({ block: 'nearest' })
  }
  function extendTo(cell: Cell): void {
    cells.extend(cell)
    view.show(head.row, head.column)
  }
  function add(): Promise<void> {
    commit()
    edits.insert(lines().length)
    return goTo({ row: lines().length - 1, column: 0 })
  }
  function duplicate(at: number): Promise<void> {
    commit()
    if (full.value) return focus()
    edits.insert(at + 1, at)
    return goTo({ row: at + 1, column: active.column })
  }
  function remove(at: number, count = 1): Promise<void> {
    commit()
    edits.remove(at, count)
    return goTo({ row: at, column: active.column })
  }
  function clear(): void {
    const { top, bottom, left, right } = block.value
    const cleared = []
    for (let at = top; at <= bottom; at++)
      for (const { name } of fields().slice(left, right + 1)) cleared.push({ at, name, value: '' })
    edits.set(cleared)
    for (const { at, name } of cleared) leave(`lines/${at}/${name}`)
  }
  function returnTo(spot: Spot | null): Promise<void> {
    if (!spot) return focus()
    const column = fields().findIndex((field) => field.name === spot.name)
    return goTo({ row: spot.at, column: column < 0 ? active.column : column })
  }
  function edit(): void {
    const field = control()
    if (!field) return
    if (field instanceof HTMLSelectElement) field.showPicker()
    else {
      editing.value = true
      field.setSelectionRange(field.value.length, field.value.length)
    }
  }
  /** false where there is nothing to give back: Escape then means what it means around the grid */
  function giveBack(): boolean {
    if (!editing.value) {
      if (!several.value) return false
      Object.assign(head, active)
      return true
    }
    edits.giveBack()
    editing.value = false
    void nextTick(() => (control() as HTMLInputElement | null)?.select?.())
    return true
  }
  function move(command: Command & { do: 'move' | 'edge' | 'page' | 'far' }): void {
    const from = command.extend ? head : active
    const to = { row: from.row, column: from.column }
    if (command.do === 'edge') to.column = command.by < 0 ? 0 : fields().length - 1
    else if (command.do === 'far') to.row = command.by < 0 ? 0 : lines().length - 1
    else if (command.do === 'page') to.row += command.by * view.pageRows.value
    else {
      to.row += command.rows
      to.column += command.columns
    }
    if (command.extend) extendTo(to)
    else void goTo(to)
  }
  /** Enter at the very end begins another line; Tab at either end, and Shift+Enter at the first, leave the grid. */
  function step(by: 1 | -1, key: 'Enter' | 'Tab'): boolean {
    const next = cells.neighbour(by)
    if (next) void goTo(next)
    else if (by === 1 && key === 'Enter') {
      if (full.value) commit()
      else void add()
    } else return false
    return true
  }
  function run(command: Command): boolean {
    const { top, bottom } = block.value
    switch (command.do) {
      case 'step':
        return step(command.by, command.with)
      case 'move':
      case 'edge':
      case 'page':
      case 'far':
        move(command)
        return true
      case 'giveBack':
        return giveBack()
      case 'edit':
        edit()
        return true
      case 'clear':
        clear()
        return true
      case 'all':
        void goTo({ row: 0, column: 0 }).then(() =>
          cells.extend({ row: lines().length - 1, column: fields().length - 1 }),
        )
        return true
      case 'undo':
        void returnTo(edits.undo())
        return true
      case 'redo':
        void returnTo(edits.redo())
        return true
      case 'duplicate':
        void duplicate(active.row)
        return true
      case 'remove':
        void remove(top, bottom - top + 1)
        return true
    }
  }

  /** A letter chooses in a list of choices, by value or name; the browser itself knows names only. */
  function choose(field: HTMLSelectElement, letter: string): boolean {
    const named = [...field.options].filter(
      (option) => option.value && [option.value, option.text].some((text) => text.toLowerCase().startsWith(letter)),
    )
    const next = named[(named.findIndex((option) => option.selected) + 1) % named.length]
    const name = fields()[active.column]?.name
    if (next && name) edits.type({ at: active.row, name, value: next.value })
    return !!next
  }
  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented) return
    const field = isControl(event.target) ? event.target : null
    const text = field instanceof HTMLSelectElement ? null : field
    const command = commandOf(event, {
      editing: editing.value,
      atStart: !text || text.selectionEnd === 0,
      atEnd: !text || text.selectionStart === text.value.length,
    })
    // outside of the cells only what concerns all of them
    const told = command && (field || command.do === 'undo' || command.do === 'redo') ? run(command) : false
    const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing
    if (!told && !(plain && field instanceof HTMLSelectElement && choose(field, event.key.toLowerCase()))) return
    event.preventDefault()
    event.stopPropagation()
  }
  function onInput(event: Event): void {
    if (!isControl(event.target) || event.target instanceof HTMLSelectElement) return
    editing.value = true
    view.show(active.row, active.column)
  }
  function onFocus(event: FocusEvent): void {
    if (!isControl(event.target) || byPointer) return
    editing.value = false
    if (!(event.target instanceof HTMLSelectElement)) event.target.select()
    view.show(active.row, active.column)
  }

  const cellAt = (event: MouseEvent): Cell | null => {
    const box = (event.target as HTMLElement).closest<HTMLElement>('[data-column]')
    const line = box?.closest<HTMLElement>('[data-line]')
    return box && line ? { row: Number(line.dataset.line), column: Number(box.dataset.column) } : null
  }
  /** Its number stands for the whole line. */
  function selectLine(row: number, further: boolean): void {
    const column = fields().length - 1
    if (further) cells.extend({ row, column })
    else void goTo({ row, column: 0 }, true).then(() => cells.extend({ row, column }))
  }
  let dragging = false
  function onMouseDown(event: MouseEvent): void {
    dragging = false
    if (event.button !== 0) return
    const number = (event.target as HTMLElement).closest('[role="rowheader"]')?.closest<HTMLElement>('[data-line]')
    if (number) {
      event.preventDefault()
      return selectLine(Number(number.dataset.line), event.shiftKey)
    }
    const cell = cellAt(event)
    if (!cell) return
    if (isControl(event.target)) {
      // the caret goes where one clicks
      byPointer = true
      editing.value = !(event.target instanceof HTMLSelectElement)
      setTimeout(() => (byPointer = false))
      return
    }
    event.preventDefault()
    dragging = true
    if (event.shiftKey) extendTo(cell)
    else void goTo(cell, true)
  }
  function onMouseOver(event: MouseEvent): void {
    const cell = dragging && event.buttons === 1 ? cellAt(event) : null
    if (cell) cells.extend(cell)
  }
  return {
    full,
    goTo,
    add,
    duplicate,
    remove,
    clear,
    commit,
    control,
    onKey,
    onInput,
    onFocus,
    onMouseDown,
    onMouseOver,
  }
}
