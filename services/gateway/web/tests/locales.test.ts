import { describe, expect, it } from 'vitest'
import { say, switchLanguage, t } from '@/locales'
import en from '@/locales/en'
import zh from '@/locales/zh-CN'
import { isBranch, menuOf, PAGES, pageById } from '@/pages'
import { BRIEFS } from './support'
import { BINDINGS, LOCAL_KEYS } from '@/keyboard'

type Tree = { [key: string]: string | Tree }
function flat(tree: Tree, at = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${at}${key}`, value] as [string, string]] : flat(value, `${at}${key}.`),
  )
}
const chinese = new Map(flat(zh))
const english = new Map(flat(en))
const forms = (text: string) => text.split(' | ')
const slots = (text: string): string[] => (forms(text)[0]!.match(/\{\w+\}/g) ?? []).sort()

describe('both languages', () => {
  it('have the same keys', () => expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort()))
  it('have the same places to fill in', () => {
    for (const [key, text] of chinese) expect(slots(english.get(key) ?? ''), key).toEqual(slots(text))
  })
  it('say one of a thing as one, and each form has the same places', () => {
    switchLanguage('en')
    for (const [key, text] of english) {
      for (const form of forms(text)) expect(slots(form), key).toEqual(slots(text))
      if (slots(text).includes('{n}')) expect(t(key, { n: 1 }), key).not.toMatch(/\b1 (more )?[a-z]{3,}s\b/)
    }
    expect([0, 1, 2, '1', '1,234'].map((n) => t('query.rows', { n }))).toEqual([
      '0 rows',
      '1 row',
      '2 rows',
      '1 row',
      '1,234 rows',
    ])
    switchLanguage('zh-CN')
  })
  it('are not mixed up', () => {
    for (const [key, text] of english) expect(text, key).not.toMatch(/[\u4e00-\u9fff]/)
  })
  it('leave nothing empty', () => {
    for (const [key, text] of [...chinese, ...english]) expect(text.trim(), key).not.toBe('')
  })
  it('name every page, menu entry and key', () => {
    const menu = menuOf(BRIEFS)
    const used = [
      ...PAGES.map((p) => p.title),
      ...menu.flatMap((g) => [
        g.label,
        ...g.entries.flatMap((e) => [e.label, ...(isBranch(e) ? e.leaves.map((l) => l.label) : [])]),
      ]),
      ...BINDINGS.map((b) => b.label),
      ...LOCAL_KEYS.map((k) => k.label),
    ].filter((key) => typeof key === 'string')
    for (const key of used) expect(chinese.has(key), key).toBe(true)
  })
  it('the menu leads to pages that exist', () => {
    const leaves = menuOf(BRIEFS).flatMap((g) => g.entries.flatMap((e) => (isBranch(e) ? e.leaves : [e])))
    for (const { page } of leaves.filter((leaf) => typeof leaf.label === 'string'))
      expect(pageById(page), page).toBeDefined()
    expect(leaves.find((leaf) => leaf.page === 'B3')?.path).toBe('/pages/B3')
  })
  it('declared labels follow the language', () => {
    const label = { zh: '订单', en: 'Order' }
    switchLanguage('en')
    expect([say(label), document.documentElement.lang]).toEqual(['Order', 'en'])
    switchLanguage('zh-CN')
    expect([say(label), say({ zh: '', en: 'Order' }), say(null), say('文')]).toEqual(['订单', 'Order', '', '文'])
  })
})
