// The one place where the language is set: messages, Accept-Language, <html lang> and Element Plus follow from it.
import { computed } from 'vue'
import { createI18n } from 'vue-i18n'
import elementEn from 'element-plus/es/locale/lang/en'
import elementZh from 'element-plus/es/locale/lang/zh-cn'
import { setLanguage } from '@/api/client'
import type { Label, Language } from '@/api/types'
import { readText, writeText } from '@/lib/storage'
import en from './en'
import zh from './zh-CN'

const KEY = 'tongguan.language'
const stored = readText(KEY)

export const i18n = createI18n({
  legacy: false,
  locale: (stored === 'en' ? 'en' : 'zh-CN') as Language,
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh, en },
})

const locale = i18n.global.locale

function spread(language: Language): void {
  setLanguage(language)
  document.documentElement.lang = language
}
spread(locale.value as Language)

export const language = computed(() => locale.value as Language)
export const elementLocale = computed(() => (language.value === 'en' ? elementEn : elementZh))

export const te = i18n.global.te

/** The text of a key, its places filled in. `n` also chooses among forms: "{n} row | {n} rows". */
export function t(key: string, named: Record<string, unknown> = {}): string {
  const n = Number(String(named.n ?? '').replaceAll(',', '')) // it may be a number as people read it
  return named.n === undefined || Number.isNaN(n) ? i18n.global.t(key, named) : i18n.global.t(key, named, n)
}

export function switchLanguage(value: Language): void {
  locale.value = value
  writeText(KEY, value)
  spread(value)
}

/** A declaration's text in the language of the page; a plain text stays as it is. */
export function say(label: Label | string | null | undefined): string {
  if (!label) return ''
  if (typeof label === 'string') return label
  return language.value === 'en' ? label.en || label.zh : label.zh || label.en
}

/** The same inside a sentence: English begins a title with a capital, a word among others with none. */
export function inside(label: Label | string | null | undefined): string {
  const text = say(label)
  return language.value === 'en' ? text.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase()) : text
}

/** Several words in one line, as the language joins them; words may contain commas themselves. */
export const listed = (words: readonly string[]): string => words.join(language.value === 'en' ? '; ' : '、')

/** 12000 → "12,000" */
export function count(value: number | null | undefined): string {
  return (value ?? 0).toLocaleString('en-US')
}
