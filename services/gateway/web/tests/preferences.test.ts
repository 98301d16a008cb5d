// A person's settings: at once on the page, soon on the server, never an error.
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { computed } from 'vue'
import { language, switchLanguage } from '@/locales'
import { PAUSE, usePreferences } from '@/stores/preferences'
import { problem, serve } from './support'

beforeEach(() => {
  setActivePinia(createPinia())
  vi.useFakeTimers()
  localStorage.clear()
})
afterEach(() => {
  vi.useRealTimers()
  switchLanguage('zh-CN')
})

describe('preferences', () => {
  it('are what the server keeps, and the fallback where it keeps nothing', async () => {
    serve({ 'GET /preferences': { items: { density: 'dense', 'menu.folded': false, nothing: null } } })
    const preferences = usePreferences()
    const density = computed(() => preferences.get('density', 'comfortable'))
    expect(density.value).toBe('comfortable')
    await preferences.load()
    expect(density.value).toBe('dense')
    expect(preferences.get('menu.folded', true)).toBe(false)
    expect(preferences.get<string | null>('nothing', 'x')).toBeNull()
    expect(preferences.get('keys', {})).toEqual({})
    preferences.forget()
    expect(density.value).toBe('comfortable')
  })
  it('change at once on the page, and many changes are one call', async () => {
    const sent = serve({ 'PUT /preferences/density': {}, 'DELETE /preferences/density': {} })
    const preferences = usePreferences()
    for (const value of ['dense', 'comfortable', 'dense']) preferences.put('density', value)
    expect(preferences.get('density', '')).toBe('dense')
    expect(sent).toEqual([])
    await vi.advanceTimersByTimeAsync(PAUSE)
    expect(sent.map((call) => [call.method, call.body])).toEqual([['PUT', { value: 'dense' }]])
    preferences.put('density', 'comfortable')
    preferences.remove('density')
    await vi.advanceTimersByTimeAsync(PAUSE)
    expect(sent.map((call) => call.method)).toEqual(['PUT', 'DELETE'])
    expect(preferences.get('density', 'comfortable')).toBe('comfortable')
  })
  it('go on as chosen when the server refuses or is away', async () => {
    serve({ 'PUT /preferences/keys': () => problem(503, {}) })
    const preferences = usePreferences()
    preferences.put('keys', { save: 'Alt+X' })
    preferences.put('unheard-of', 1)
    await vi.advanceTimersByTimeAsync(PAUSE)
    expect(preferences.get('keys', {})).toEqual({ save: 'Alt+X' })
    expect(preferences.get('unheard-of', 0)).toBe(1)
    await expect(preferences.load()).resolves.toBeUndefined()
  })
  it('are sent without waiting when the window goes', async () => {
    const sent = serve({ 'PUT /preferences/density': {} })
    usePreferences().put('density', 'dense')
    window.dispatchEvent(new Event('pagehide'))
    expect(sent).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(PAUSE)
    expect(sent).toHaveLength(1)
  })
  it('bring the language along; one chosen at the sign-in counts for more', async () => {
    const sent = serve({ 'GET /preferences': { items: { language: 'en' } }, 'PUT /preferences/language': {} })
    const preferences = usePreferences()
    await preferences.load()
    expect(language.value).toBe('en')
    preferences.forget()
    preferences.setLanguage('zh-CN', false)
    await preferences.load()
    await vi.advanceTimersByTimeAsync(PAUSE)
    expect(language.value).toBe('zh-CN')
    expect(sent.at(-1)).toMatchObject({ method: 'PUT', body: { value: 'zh-CN' } })
  })
  it('mirror the theme for the next start, and forget it with its person', async () => {
    serve({ 'GET /preferences': { items: { theme: 'dark' } } })
    const preferences = usePreferences()
    await preferences.load()
    expect(localStorage.getItem('tongguan.theme')).toBe('dark')
    preferences.put('theme', 'light')
    expect(localStorage.getItem('tongguan.theme')).toBe('light')
    serve({ 'GET /preferences': { items: {} } })
    await preferences.load()
    expect(localStorage.getItem('tongguan.theme')).toBeNull()
  })
})
