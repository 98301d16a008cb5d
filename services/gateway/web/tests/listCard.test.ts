// The frame of a list: what stands in it while it loads, fails, is empty, and turns its pages.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Query } from '@/api/client'
import type { Page } from '@/api/types'
import { usePaged, type Paged } from '@/lib/usePaged'
import { i18n, switchLanguage } from '@/locales'
import ListCard from '@/widgets/ListCard.vue'

type Answer = (page: Page<string>) => void
let list: Paged<string>
let card: VueWrapper
const asked: { query: Query; answer: Answer; refuse: (error: Error) => void }[] = []
const test = (name: string) => `[data-test="${name}"]`
const rows = () => card.findAll('li').map((row) => row.text())

async function answered(items: string[], next?: string): Promise<void> {
  asked.at(-1)?.answer({ items, next_cursor: next })
  await flushPromises()
}
beforeEach(async () => {
  switchLanguage('zh-CN')
  asked.length = 0
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: {} }] })
  await router.push('/list')
  const page = defineComponent(() => {
    list = usePaged<string>(
      ['q'],
      [],
      (query) => new Promise((answer, refuse) => asked.push({ query, answer, refuse })),
      () => false,
    )
    void list.load()
    return () =>
      h(
        ListCard<string>,
        { label: '名单', list },
        {
          bar: () => h('b', '栏'),
          empty: () => h('em', '没有'),
          default: () => list.items.value.map((one) => h('li', one)),
        },
      )
  })
  card = mount(page, { global: { plugins: [router, i18n] } })
})
afterEach(() => card.unmount())

it('waits in the shape of a table, and its bar stands from the start', async () => {
  expect(card.find(test('skeleton')).exists()).toBe(true)
  expect(card.find('section').attributes()).toMatchObject({ 'aria-busy': 'true', 'aria-label': '名单' })
  expect(card.find('b').text()).toBe('栏')
  await answered([])
  expect(card.find('em').text()).toBe('没有')
  expect(card.find(test('pager')).exists()).toBe(false)
})

it('keeps the rows of before while the next page is on its way', async () => {
  await answered(['甲'], 'c2')
  await card.find(test('page-next')).trigger('click')
  expect(rows()).toEqual(['甲'])
  expect(card.find('section').attributes('aria-busy')).toBe('true')
  expect(asked.at(-1)?.query.cursor).toBe('c2')
  await answered(['乙'])
  expect(rows()).toEqual(['乙'])
  expect(card.find(test('page-number')).text()).toBe('第 2 页')
})

it('shows no answer to another question', async () => {
  await answered(['甲'])
  list.form.q = '乙'
  void list.submit()
  await flushPromises()
  expect(rows()).toEqual([])
  expect(card.find(test('skeleton')).exists()).toBe(true)
})

it('says what failed, and asks again', async () => {
  asked.at(-1)?.refuse(new Error('off'))
  await flushPromises()
  await card.find(test('error-retry')).trigger('click')
  await answered(['甲'])
  expect(rows()).toEqual(['甲'])
  await card.find(test('query-refresh')).trigger('click')
  await answered(['甲', '乙'])
  expect(rows()).toEqual(['甲', '乙'])
})
