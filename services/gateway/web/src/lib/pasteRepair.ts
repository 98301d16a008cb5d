// What a spreadsheet shows is not always what a field takes: "人民币[142]" for 142, "1,234.50" for 1234.50. What can mean
// one thing only is mended, and the page says so; everything else stays as it was pasted and is judged like typed text.
import type { CodeItem, Field } from '@/api/types'

const GROUPED = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/
const DAY = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/
const TIME = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?$/
const NAMED = /^(.*)\[([^[\]]+)\]$/

const two = (part: string | undefined) => (part ?? '').padStart(2, '0')

/** What can be mended without asking anybody; the text itself where there is nothing to mend. */
export function repaired(field: Field, pasted: string): string {
  const text = pasted.trim()
  if (!text) return text
  if (field.choices?.length) return choiceOf(field, text)
  if ((field.type === 'decimal' || field.type === 'integer') && GROUPED.test(text)) return text.replaceAll(',', '')
  if (field.type === 'date') {
    const day = DAY.exec(text)
    return day ? `${day[1]}${two(day[2])}${two(day[3])}` : text
  }
  if (field.type === 'datetime') {
    const at = TIME.exec(text)
    return at ? `${at[1]}${[at[2], at[3], at[4], at[5], at[6] ?? '0'].map(two).join('')}` : text
  }
  return text
}

function choiceOf(field: Field, text: string): string {
  const choices = field.choices ?? []
  if (choices.some((choice) => choice.value === text)) return text
  const [, name, value] = NAMED.exec(text) ?? [null, text, undefined]
  const found = choices.filter(
    (choice) => (value === undefined || choice.value === value) && isNamed(choice.label, name ?? ''),
  )
  return found.length === 1 ? (found[0]?.value ?? text) : text
}

const isNamed = (item: { zh: string; en?: string | null }, name: string): boolean =>
  item.zh === name || (!!item.en && item.en.toLowerCase() === name.toLowerCase())

/** What to ask the code table about a pasted text; null where there is nothing to ask: digits are a code already. */
export function questionOf(field: Field, text: string): string | null {
  if (!field.code_table || !text || /^\d+$/.test(text)) return null
  return NAMED.exec(text)?.[2] ?? text
}

/** The one code that a text like "人民币[142]", "人民币" or "CNY" names; null where it is none or several. */
export function codeOf(items: readonly CodeItem[], text: string): string | null {
  if (items.some((item) => item.code === text)) return text
  const [, name, code] = NAMED.exec(text) ?? [null, text, undefined]
  const found = items.filter((item) => (code === undefined || item.code === code) && isNamed(item, name ?? ''))
  return found.length === 1 ? (found[0]?.code ?? null) : null
}
