// Names of codes, looked up one code at a time as they appear and remembered. An unknown code is shown bare.
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { codes as find } from '@/api/calls'
import type { CodeItem } from '@/api/types'
import { language } from '@/locales'

const key = (table: string, code: string) => `${table}\u0000${code}`

export const useCodes = defineStore('codes', () => {
  const known = shallowReactive(new Map<string, CodeItem | null>())

  function remember(table: string, items: CodeItem[]): void {
    items.forEach((item) => known.set(key(table, item.code), item))
  }
  async function lookUp(table: string, code: string): Promise<void> {
    known.set(key(table, code), null)
    try {
      remember(table, (await find(table, code)).items)
    } catch {
      // the bare code stays on the page, which is always right; the next page asks again
      known.delete(key(table, code))
    }
  }
  /** "美元[502]"; the bare code until (or unless) its name is known. */
  function show(table: string, code: string): string {
    if (!code) return ''
    const id = key(table, code)
    const item = known.get(id)
    if (item === undefined) {
      queueMicrotask(() => {
        if (!known.has(id)) void lookUp(table, code)
      })
      return code
    }
    if (!item) return code
    return `${(language.value === 'en' && item.en) || item.zh}[${code}]`
  }
  async function suggest(table: string, q: string): Promise<CodeItem[]> {
    const items = (await find(table, q)).items
    remember(table, items)
    return items
  }
  return { show, suggest }
})
