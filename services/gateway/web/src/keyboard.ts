// The keyboard map, once. Components ask for a meaning ("search"), never for keys; the help list is drawn from the same
// table. A person may give a meaning other keys (preference `keys`); what names keys to the eye asks `keysFor`.
import { onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'

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
export interface Binding {
  meaning: Meaning
  keys: string
  group: KeyGroup
  label: string
  /** its keys cannot be changed */
  fixed?: boolean
}
export type OwnKeys = Partial<Record<Meaning, string>>

export const BINDINGS: readonly Binding[] = [
  { meaning: 'search', keys: 'Ctrl+K', group: 'global', label: 'help.search' },
  { meaning: 'help', keys: '?', group: 'global', label: 'help.help', fixed: true },
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
  { keys: '← / →, Delete', group: 'global', label: 'help.tabs' },
  { keys: '↑ / ↓, ← / →', group: 'global', label: 'help.menuKeys' },
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

/** What browsers keep for themselves, or what a field needs: never to be given a meaning of ours. */
const RESERVED = new Set([
  ...'NTWQRLDFHJUOACVXZY+-=0123456789'.split('').map((letter) => `Ctrl+${letter}`),
  ...'NTWQRIJCVZB'.split('').map((letter) => `Ctrl+Shift+${letter}`),
  ...['Tab', 'F4', 'F5', 'PageUp', 'PageDown', 'Home', 'Enter', 'Delete', 'Backspace', 'Insert'].map(
    (k) => `Ctrl+${k}`,
  ),
  ...['Ctrl+Shift+Tab', 'Ctrl+Shift+Delete', 'Ctrl+ArrowLeft', 'Ctrl+ArrowRight', 'Ctrl+ArrowUp', 'Ctrl+ArrowDown'],
  ...['F4', 'D', 'F', 'E', 'Home', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Tab', ' ', 'Enter'].map(
    (k) => `Alt+${k}`,
  ),
  ...['F1', 'F3', 'F5', 'F6', 'F7', 'F10', 'F11', 'F12'],
])
const MODIFIERS = new Set([
  'Control',
  'Shift',
  'Alt',
  'Meta',
  'AltGraph',
  'CapsLock',
  'Process',
  'Dead',
  'Unidentified',
])

const own = shallowRef<OwnKeys>({})
/** While true no key has a meaning: a question stands over the pages that has to be answered first. */
export const keysRest = ref(false)

/** A person's own keys; what could not be chosen today (another version, another browser) counts for nothing. */
export function setOwnKeys(chosen: unknown): void {
  own.value = {}
  if (!chosen || typeof chosen !== 'object') return
  for (const [meaning, keys] of Object.entries(chosen))
    if (typeof keys === 'string' && isMeaning(meaning) && !refusal(meaning, keys))
      own.value = { ...own.value, [meaning]: keys }
}
const isMeaning = (name: string): name is Meaning => BINDINGS.some((b) => b.meaning === name && !b.fixed)

export const keysFor = (meaning: Meaning): string =>
  own.value[meaning] ?? BINDINGS.find((b) => b.meaning === meaning)!.keys
export const ownKeys = (): OwnKeys => own.value
/** "暂存 (Alt+S)" */
export const withKeys = (words: string, meaning: Meaning): string => `${words} (${keysFor(meaning)})`

export type Refusal = { why: 'plain' | 'reserved' } | { why: 'taken'; by: Binding }
/** Why these keys cannot be given to this meaning; null if they can. */
export function refusal(meaning: Meaning, keys: string): Refusal | null {
  if (!keys.includes('+') && !/^F\d{1,2}$/.test(keys)) return { why: 'plain' }
  if (RESERVED.has(keys)) return { why: 'reserved' }
  const by = BINDINGS.find((b) => b.meaning !== meaning && keysFor(b.meaning) === keys)
  return by ? { why: 'taken', by } : null
}

/** True for Shift, Alt … alone: the key proper is still to come. */
export const isModifier = (event: KeyboardEvent): boolean => MODIFIERS.has(event.key)

/** What names a key combination. */
type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>

export function keysOf(event: Pressed): string {
  const parts: string[] = []
  if (event.ctrlKey || event.metaKey) parts.push('Ctrl')
  if (event.altKey) parts.push('Alt')
  // alone, Shift is part of the character: "?"
  if (event.shiftKey && parts.length) parts.push('Shift')
  const letter = /^(Key|Digit)/.test(event.code) && parts.length ? event.code.replace(/^(Key|Digit)/, '') : event.key
  // with a modifier the key's place counts (an input method may change the character), alone its character does
  parts.push(parts.length && letter.length === 1 ? letter.toUpperCase() : letter)
  return parts.join('+')
}

const TYPING = new Set(['INPUT', 'TEXTAREA', 'SELECT'])
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (TYPING.has(target.tagName) || target.isContentEditable)
}

export function meaningOf(event: KeyboardEvent): Meaning | null {
  if (event.isComposing || keysRest.value) return null
  const keys = keysOf(event)
  const found = BINDINGS.find((b) => keysFor(b.meaning) === keys)
  if (!found) return null
  // a plain character belongs to the field one is typing in
  if (keys.length === 1 && isTyping(event.target)) return null
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
