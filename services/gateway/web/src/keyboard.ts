// The keyboard map, once. Components ask for a meaning ("search"), never for keys; the help list is drawn from the same table.
import { onBeforeUnmount, onMounted } from 'vue'

export type Meaning =
  | 'search'
  | 'help'
  | 'closeTab'
  | 'foldMenu'
  | 'expandConditions'
  | 'save'
  | 'remove'
  | 'print'
  | 'nextArea'
  | 'takeTotals'
export type KeyGroup = 'global' | 'query' | 'form' | 'grid'
interface Binding {
  meaning: Meaning
  keys: string
  group: KeyGroup
  label: string
}

export const BINDINGS: readonly Binding[] = [
  { meaning: 'search', keys: 'Ctrl+K', group: 'global', label: 'help.search' },
  { meaning: 'help', keys: '?', group: 'global', label: 'help.help' },
  { meaning: 'closeTab', keys: 'Alt+W', group: 'global', label: 'help.closeTab' },
  { meaning: 'foldMenu', keys: 'Alt+M', group: 'global', label: 'help.menu' },
  { meaning: 'expandConditions', keys: 'Alt+Q', group: 'query', label: 'help.expand' },
  { meaning: 'save', keys: 'Alt+S', group: 'form', label: 'help.save' },
  { meaning: 'remove', keys: 'Alt+R', group: 'form', label: 'help.remove' },
  { meaning: 'print', keys: 'Alt+P', group: 'form', label: 'help.print' },
  { meaning: 'nextArea', keys: 'Ctrl+End', group: 'form', label: 'help.nextArea' },
  { meaning: 'takeTotals', keys: 'Alt+T', group: 'form', label: 'help.takeTotals' },
]

/** Keys that mean something inside one widget; listed for the help only, handled where they happen. */
export const LOCAL_KEYS: readonly { keys: string; group: KeyGroup; label: string }[] = [
  { keys: 'Esc', group: 'global', label: 'help.escape' },
  { keys: 'Tab / Shift+Tab', group: 'global', label: 'help.next' },
  { keys: 'Enter', group: 'query', label: 'help.enter' },
  { keys: '↑ / ↓', group: 'query', label: 'help.rows' },
  { keys: 'Space', group: 'query', label: 'help.space' },
  { keys: 'Enter', group: 'query', label: 'help.openRow' },
  { keys: 'PageUp / PageDown / Home / End', group: 'query', label: 'help.page' },
  { keys: 'Shift+Space / Shift+↑ / Shift+↓', group: 'query', label: 'help.range' },
  { keys: '← / →', group: 'query', label: 'help.cell' },
  { keys: 'Shift+← / Shift+→', group: 'query', label: 'help.headWidth' },
  { keys: 'Ctrl+← / Ctrl+→', group: 'query', label: 'help.headMove' },
  { keys: 'Enter / Shift+Enter', group: 'form', label: 'help.onward' },
  { keys: '↑ / ↓', group: 'form', label: 'help.choose' },
  { keys: 'Enter / Shift+Enter', group: 'grid', label: 'help.gridOnward' },
  { keys: 'F2', group: 'grid', label: 'help.gridType' },
  { keys: 'Esc', group: 'grid', label: 'help.gridEscape' },
  { keys: '↑↓←→, Home, End', group: 'grid', label: 'help.gridMove' },
  { keys: 'Ctrl+↑ / Ctrl+↓', group: 'grid', label: 'help.gridFar' },
  { keys: 'Shift+↑↓←→', group: 'grid', label: 'help.gridRange' },
  { keys: 'Ctrl+C / X / V', group: 'grid', label: 'help.gridClipboard' },
  { keys: 'Delete', group: 'grid', label: 'help.gridClear' },
  { keys: 'Ctrl+Z / Ctrl+Y', group: 'grid', label: 'help.gridUndo' },
  { keys: 'Ctrl+D', group: 'grid', label: 'help.gridDuplicate' },
  { keys: 'Ctrl+Delete', group: 'grid', label: 'help.gridRemove' },
]

/** The keys of a meaning, to be told beside its button. */
export const keysFor = (meaning: Meaning): string => BINDINGS.find((one) => one.meaning === meaning)?.keys ?? ''

export function keysOf(event: KeyboardEvent): string {
  const parts: string[] = []
  if (event.ctrlKey || event.metaKey) parts.push('Ctrl')
  if (event.altKey) parts.push('Alt')
  const letter = event.code.startsWith('Key') ? event.code.slice(3) : event.key
  // with a modifier the key's place counts (an input method may change the character), alone its character does
  parts.push(parts.length && letter.length === 1 ? letter.toUpperCase() : letter)
  return parts.join('+')
}

const TYPING = new Set(['INPUT', 'TEXTAREA', 'SELECT'])
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (TYPING.has(target.tagName) || target.isContentEditable)
}

export function meaningOf(event: KeyboardEvent): Meaning | null {
  if (event.isComposing) return null
  const keys = keysOf(event)
  const found = BINDINGS.find((b) => b.keys === keys)
  if (!found) return null
  // a plain character belongs to the field one is typing in
  if (!keys.includes('+') && isTyping(event.target)) return null
  return found.meaning
}

export function useKeys(handlers: Partial<Record<Meaning, () => void>>, active: () => boolean = () => true): void {
  const listen = (event: KeyboardEvent) => {
    const meaning = active() ? meaningOf(event) : null
    const handler = meaning && handlers[meaning]
    if (!handler) return
    event.preventDefault()
    handler()
  }
  onMounted(() => window.addEventListener('keydown', listen))
  onBeforeUnmount(() => window.removeEventListener('keydown', listen))
}
