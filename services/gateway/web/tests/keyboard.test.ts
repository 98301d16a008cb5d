import { afterEach, describe, expect, it } from 'vitest'
import { keysFor, keysOf, keysRest, meaningOf, refusal, setOwnKeys, withKeys } from '@/keyboard'

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

describe('keys of one’s own', () => {
  afterEach(() => setOwnKeys(null))

  it('take the place of the usual ones, in words, too', () => {
    setOwnKeys({ save: 'Alt+X', closeTab: 'F2' })
    expect(meaningOf(key({ key: 'x', code: 'KeyX', altKey: true }))).toBe('save')
    expect(meaningOf(key({ key: 's', code: 'KeyS', altKey: true }))).toBeNull()
    expect(meaningOf(key({ key: 'F2', code: 'F2' }, document.createElement('input')))).toBe('closeTab')
    expect(withKeys('暂存', 'save')).toBe('暂存 (Alt+X)')
  })
  it.each([
    ['Alt+W', 'taken'],
    ['Ctrl+W', 'reserved'],
    ['Ctrl+V', 'reserved'],
    ['F5', 'reserved'],
    ['s', 'plain'],
    ['Enter', 'plain'],
  ])('cannot be %s: %s', (keys, why) => {
    expect(refusal('save', keys)?.why).toBe(why)
    setOwnKeys({ save: keys })
    expect(keysFor('save')).toBe('Alt+S')
  })
  it('may take what another meaning has given up', () => {
    setOwnKeys({ closeTab: 'Alt+X' })
    expect(refusal('save', 'Alt+W')).toBeNull()
  })
  it('that make no sense count for nothing', () => {
    for (const chosen of [null, 'Alt+X', { unheardOf: 'Alt+X' }, { save: 7 }, { help: 'Alt+X' }]) {
      setOwnKeys(chosen)
      expect([keysFor('save'), keysFor('help')]).toEqual(['Alt+S', '?'])
    }
  })
  it('rest while a question has to be answered first', () => {
    keysRest.value = true
    expect(meaningOf(key({ key: 's', code: 'KeyS', altKey: true }))).toBeNull()
    keysRest.value = false
  })
})
