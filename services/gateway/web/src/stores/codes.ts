// The code tables. Small ones are fetched whole, once, and searched here, so that a list stands while one types; of a
// larger one names are looked up one code at a time and the server searches. An unknown code is shown bare.
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'
import { codes as find } from '@/api/calls'
import type { CodeItem } from '@/api/types'
import { searchCodes } from '@/lib/codeSearch'
import { language } from '@/locales'

/** rows; the most the server gives at once */
const WHOLE = 2000
/** after a failure, before a name is looked up again */
const AGAIN_MS = 30_000
const key = (table: string, code: string) => `${table}\u0000${code}`

export const useCodes = defineStore('codes', () => {
  const known = shallowReactive(new Map<string, CodeItem | null>())
  /** tables that are here whole; null = larger than that */
  const tables = shallowReactive(new Map<string, CodeItem[] | null>())
  const coming = new Map<string, Promise<CodeItem[] | null>>()

  function remember(table: string, items: CodeItem[]): void {
    items.forEach((item) => known.set(key(table, item.code), item))
  }
  function load(table: string): Promise<CodeItem[] | null> {
    if (tables.has(table)) return Promise.resolve(tables.get(table) ?? null)
    let call = coming.get(table)
    if (!call) {
      call = find(table, '', WHOLE)
        .then(({ items, total_estimate }) => {
          remember(table, items)
          const whole = items.length >= (total_estimate ?? items.length) ? items : null
          tables.set(table, whole)
          return whole
        })
        .finally(() => coming.delete(table))
      coming.set(table, call)
    }
    return call
  }
  async function lookUp(table: string, code: string): Promise<void> {
    known.set(key(table, code), null)
    try {
      if (!(await load(table))) remember(table, (await find(table, code)).items)
    } catch {
      // the bare code stays on the page, which is always right; what shows it asks again by itself, but not at once
      setTimeout(() => known.delete(key(table, code)), AGAIN_MS)
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
    const whole = await load(table)
    if (whole) return searchCodes(whole, q)
    const items = (await find(table, q)).items
    remember(table, items)
    return items
  }
  /** What answers at once, or null where the server has to be asked. */
  function suggestNow(table: string, q: string): CodeItem[] | null {
    const whole = tables.get(table)
    return whole ? searchCodes(whole, q) : null
  }
  /** Whether the code stands in the table; undefined while (or where) that is not known here. */
  function knows(table: string, code: string): boolean | undefined {
    const whole = tables.get(table)
    if (!whole) return known.get(key(table, code)) ? true : undefined
    return known.get(key(table, code)) ? true : false
  }
  return { show, suggest, suggestNow, knows, load }
})
