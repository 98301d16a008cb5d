import { describe, expect, it } from 'vitest'
import { say, switchLanguage } from '@/locales'
import en from '@/locales/en'
import zh from '@/locales/zh-CN'
import { MENU, PAGES, pageById } from '@/pages'
import { BINDINGS, LOCAL_KEYS } from '@/keyboard'

type Tree = { [key: string]: string | Tree }
function flat(tree: Tree, at = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${at}${key}`, value] as [string, string]] : flat(value, `${at}${key}.`),
  )
}
const chinese = new Map(flat(zh))
const english = new Map(flat(en))
const slots = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort()

describe('both languages', () => {
  it('have the same keys', () => expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort()))
  it('have the same places to fill in', () => {
    for (const [key, text] of chinese) expect(slots(english.get(key) ?? ''), key).toEqual(slots(text))
  })
  it('are not mixed up', () => {
    for (const [key, text] of english) expect(text, key).not.toMatch(/[\u4e00-\u9fff]/)
  })
  it('leave nothing empty', () => {
    for (const [key, text] of [...chinese, ...english]) expect(text.trim(), key).not.toBe('')
  })
  it('name every page, menu entry and key', () => {
    const used = [
      ...PAGES.map((p) => p.title),
      ...MENU.flatMap((g) => [
        g.label,
        ...g.entries.flatMap((e) => [e.label, ...('leaves' in e ? e.leaves.map((l) => l.label) : [])]),
      ]),
      ...BINDINGS.map((b) => b.label),
      ...LOCAL_KEYS.map((k) => k.label),
    ]
    for (const key of used) expect(chinese.has(key), key).toBe(true)
  })
  it('the menu leads to pages that exist', () => {
    const leaves = MENU.flatMap((g) =>
      g.entries.flatMap((e) => ('leaves' in e ? e.leaves.map((l) => l.page) : [e.page])),
    )
    for (const id of leaves) expect(pageById(id), id).toBeDefined()
  })
  it('declared labels follow the language', () => {
    const label = { zh: '订单', en: 'Order' }
    switchLanguage('en')
    expect([say(label), document.documentElement.lang]).toEqual(['Order', 'en'])
    switchLanguage('zh-CN')
    expect([say(label), say({ zh: '', en: 'Order' }), say(null), say('文')]).toEqual(['订单', 'Order', '', '文'])
  })
})
