// The keyboard map, once. Components ask for a meaning ("search"), never for keys; the help list is drawn from the same table.
import { onBeforeUnmount, onMounted } from 'vue'

export type Meaning = 'search' | 'help' | 'closeTab' | 'foldMenu' | 'expandConditions'
interface Binding {
  meaning: Meaning
  keys: string
  group: 'global' | 'query'
  label: string
}

export const BINDINGS: readonly Binding[] = [
  { meaning: 'search', keys: 'Ctrl+K', group: 'global', label: 'help.search' },
  { meaning: 'help', keys: '?', group: 'global', label: 'help.help' },
  { meaning: 'closeTab', keys: 'Alt+W', group: 'global', label: 'help.closeTab' },
  { meaning: 'foldMenu', keys: 'Alt+M', group: 'global', label: 'help.menu' },
  { meaning: 'expandConditions', keys: 'Alt+Q', group: 'query', label: 'help.expand' },
]

/** Keys that mean something inside one widget; listed for the help only, handled where they happen. */
export const LOCAL_KEYS: readonly { keys: string; group: 'global' | 'query'; label: string }[] = [
  { keys: 'Esc', group: 'global', label: 'help.escape' },
  { keys: 'Tab / Shift+Tab', group: 'global', label: 'help.next' },
  { keys: 'Enter', group: 'query', label: 'help.enter' },
  { keys: '↑ / ↓', group: 'query', label: 'help.rows' },
  { keys: 'Space', group: 'query', label: 'help.space' },
  { keys: 'Enter', group: 'query', label: 'help.openRow' },
]

export function keysOf(event: KeyboardEvent): string {
  const parts: string[] = []
  if (event.ctrlKey || event.metaKey) parts.push('Ctrl')
  if (event.altKey) parts.push('Alt')
  const letter = event.code.startsWith('Key') ? event.code.slice(3) : event.key
  // with a modifier the key's place counts (an input method may change the character), alone its character does
  parts.push(parts.length ? letter.toUpperCase() : event.key)
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
