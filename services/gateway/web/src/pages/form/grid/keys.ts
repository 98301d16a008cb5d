// What a key means in the grid. A cell is either just stood in (typing replaces its value, arrows go to other cells) or
// edited (the caret moves in its text); at the ends of the text the arrows leave it.
import { keysOf } from '@/keyboard'

export type Command =
  | { do: 'step'; by: 1 | -1; with: 'Enter' | 'Tab' }
  | { do: 'move'; rows: number; columns: number; extend: boolean }
  | { do: 'edge'; by: 1 | -1; extend: boolean }
  | { do: 'page'; by: 1 | -1; extend: boolean }
  | { do: 'far'; by: 1 | -1; extend: boolean }
  | { do: 'edit' | 'giveBack' | 'clear' | 'undo' | 'redo' | 'duplicate' | 'remove' | 'all' }

/** The control one is in: whether its text is edited, and whether the caret stands at an end of it. */
export interface Standing {
  editing: boolean
  atStart: boolean
  atEnd: boolean
}
type Key = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'isComposing'>

const move = (rows: number, columns: number, extend = false): Command => ({ do: 'move', rows, columns, extend })

export function commandOf(event: Key, at: Standing): Command | null {
  if (event.isComposing || event.key === 'Process' || event.altKey) return null
  const ctrl = event.ctrlKey || event.metaKey
  if (ctrl) return withCtrl(event, at)
  const { editing } = at
  const extend = event.shiftKey
  switch (event.key) {
    case 'Enter':
    case 'Tab':
      return { do: 'step', by: event.shiftKey ? -1 : 1, with: event.key }
    case 'F2':
      return { do: 'edit' }
    case 'Escape':
      return { do: 'giveBack' }
    case 'ArrowUp':
    case 'ArrowDown':
      return move(event.key === 'ArrowUp' ? -1 : 1, 0, extend && !editing)
    case 'ArrowLeft':
      return !editing || (at.atStart && !extend) ? move(0, -1, extend && !editing) : null
    case 'ArrowRight':
      return !editing || (at.atEnd && !extend) ? move(0, 1, extend && !editing) : null
  }
  if (editing) return null
  switch (event.key) {
    case 'Home':
    case 'End':
      return { do: 'edge', by: event.key === 'Home' ? -1 : 1, extend }
    case 'PageUp':
    case 'PageDown':
      return { do: 'page', by: event.key === 'PageUp' ? -1 : 1, extend }
    case 'Delete':
      return { do: 'clear' }
  }
  return null
}

function withCtrl(event: Key, at: Standing): Command | null {
  // Shift goes along with some of them, and is looked at there
  const keys = keysOf({
    key: event.key,
    code: event.code,
    ctrlKey: true,
    metaKey: false,
    altKey: false,
    shiftKey: false,
  })
  if (keys === 'Ctrl+D') return { do: 'duplicate' }
  // while a text is edited these belong to the text
  if (at.editing) return null
  if (keys === 'Ctrl+Z') return { do: event.shiftKey ? 'redo' : 'undo' }
  if (keys === 'Ctrl+Y') return { do: 'redo' }
  if (keys === 'Ctrl+Delete') return { do: 'remove' }
  if (keys === 'Ctrl+ArrowUp' || keys === 'Ctrl+ArrowDown')
    return { do: 'far', by: keys === 'Ctrl+ArrowUp' ? -1 : 1, extend: event.shiftKey }
  return keys === 'Ctrl+A' ? { do: 'all' } : null
}
