// What this person has set up (columns, keys, density …). It is kept on the server and follows them to any computer;
// what applies before anybody is signed in is mirrored in the browser, so that nothing flashes.
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { preferences as calls } from '@/api/calls'
import { language, switchLanguage } from '@/locales'
import { writeText } from '@/lib/storage'
import type { Language } from '@/api/types'

/** Changes of one name within this time are one call. */
export const PAUSE = 500 // ms
/** Applied by public/theme.js before anything is drawn; the language's mirror belongs to src/locales. */
export const THEME_MIRROR = 'tongguan.theme'

export const usePreferences = defineStore('preferences', () => {
  const items = shallowReactive(new Map<string, unknown>())
  const waiting = new Map<string, ReturnType<typeof setTimeout>>()
  // chosen on the sign-in page: it is what the person wants from now on, whatever was kept before
  let chosenLanguage: Language | null = null

  /** Fetched once, with the session. Without an answer the pages simply begin as they are delivered. */
  async function load(): Promise<void> {
    forget()
    try {
      for (const [name, value] of Object.entries((await calls.read()).items)) items.set(name, value)
    } catch {
      // nobody is signed in, or the server is away: whoever needs to know learns it from the session
      return
    }
    writeText(THEME_MIRROR, get<string | null>('theme', null))
    const kept = get<Language | null>('language', null)
    if (chosenLanguage && chosenLanguage !== kept) put('language', chosenLanguage)
    else if (kept && kept !== language.value) switchLanguage(kept)
    chosenLanguage = null
  }
  function get<T>(name: string, fallback: T): T {
    return items.has(name) ? (items.get(name) as T) : fallback
  }
  function put(name: string, value: unknown): void {
    items.set(name, value)
    if (name === 'theme') writeText(THEME_MIRROR, String(value))
    later(name)
  }
  function remove(name: string): void {
    items.delete(name)
    if (name === 'theme') writeText(THEME_MIRROR, null)
    later(name)
  }
  function later(name: string): void {
    clearTimeout(waiting.get(name))
    waiting.set(
      name,
      setTimeout(() => void send(name), PAUSE),
    )
  }
  async function send(name: string): Promise<void> {
    clearTimeout(waiting.get(name))
    waiting.delete(name)
    try {
      await (items.has(name) ? calls.put(name, items.get(name)) : calls.remove(name))
    } catch {
      // the page goes on with what was chosen; a column's width is not worth an error
    }
  }
  /** Send now what still waits: before signing out, and when the window goes. */
  const flush = async (): Promise<void> => {
    await Promise.all([...waiting.keys()].map(send))
  }
  function forget(): void {
    waiting.forEach((timer) => clearTimeout(timer))
    waiting.clear()
    items.clear()
  }
  function setLanguage(value: Language, signedIn: boolean): void {
    switchLanguage(value)
    if (signedIn) put('language', value)
    else chosenLanguage = value
  }
  window.addEventListener('pagehide', () => void flush())

  return { load, get, put, remove, flush, forget, setLanguage }
})
