import { describe, expect, it } from 'vitest'
import { keysOf, meaningOf } from '@/keyboard'

const key = (init: KeyboardEventInit, target: EventTarget = document.body): KeyboardEvent => {
  const event = new KeyboardEvent('keydown', init)
  Object.defineProperty(event, 'target', { value: target })
  return event
}

describe('keys', () => {
  it('have one meaning each', () => {
    expect(meaningOf(key({ key: 'k', code: 'KeyK', ctrlKey: true }))).toBe('search')
    expect(meaningOf(key({ key: 'k', code: 'KeyK', metaKey: true }))).toBe('search')
    expect(meaningOf(key({ key: '?', code: 'Slash', shiftKey: true }))).toBe('help')
    expect(meaningOf(key({ key: 'w', code: 'KeyW', altKey: true }))).toBe('closeTab')
    expect(meaningOf(key({ key: 'x', code: 'KeyX' }))).toBeNull()
  })
  it('with a modifier go by place, so that an input method does not change them', () => {
    expect(keysOf(key({ key: 'µ', code: 'KeyM', altKey: true }))).toBe('Alt+M')
  })
  it('a plain character belongs to the field one types in', () => {
    const input = document.createElement('input')
    expect(meaningOf(key({ key: '?', code: 'Slash' }, input))).toBeNull()
    expect(meaningOf(key({ key: 'k', code: 'KeyK', ctrlKey: true }, input))).toBe('search')
  })
  it('mean nothing while characters are being composed', () => {
    expect(meaningOf(key({ key: '?', code: 'Slash', isComposing: true }))).toBeNull()
  })
})
