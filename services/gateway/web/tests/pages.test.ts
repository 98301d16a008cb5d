// Pages as people meet them, over a made-up kind; only the server at the other end of fetch is played.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { defineComponent, h, KeepAlive } from 'vue'
import { createMemoryHistory, createRouter, RouterView, type Router } from 'vue-router'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { setCsrfToken } from '@/api/client'
import type { StateChange } from '@/api/types'
import { i18n, switchLanguage } from '@/locales'
import QueryList from '@/pages/query/QueryList.vue'
import SignInPage from '@/pages/signin/SignInPage.vue'
import { useSession } from '@/stores/session'
import { KIND, problem, row, serve, type Sent } from './support'

const ME = {
  user: { id: 'u', username: 'li', name: '李' },
  tenant: { id: 't', name: '甲' },
  roles: ['declarant'],
  permissions: ['document.read', 'document.declare'],
  csrf_token: 'tok',
}
const streams: EventTarget[] = []
class Quiet extends EventTarget {
  constructor() {
    super()
    streams.push(this)
  }
  close() {}
}

let mounted: VueWrapper | null = null
let router: Router

async function open(component: object, props: object, path: string): Promise<VueWrapper> {
  // as in the frame: kept alive, under a route
  const Page = defineComponent({ setup: () => () => h(component as never, props) })
  router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: Page }] })
  await router.push(path)
  const Root = defineComponent({
    setup: () => () =>
      h(RouterView, null, {
        default: ({ Component }: { Component: object }) => h(KeepAlive, null, [h(Component as never)]),
      }),
  })
  mounted = mount(Root, { global: { plugins: [router, i18n] }, attachTo: document.body })
  await flushPromises()
  return mounted
}
const test = (name: string) => `[data-test="${name}"]`
const queries = (sent: Sent[]) =>
  sent
    .filter((one) => one.method === 'GET' && one.url.includes('/documents/parcel?'))
    .map((one) => new URL(one.url, 'http://x').searchParams)
const inBody = (name: string) => document.body.querySelector<HTMLElement>(test(name))

beforeEach(async () => {
  globalThis.EventSource = Quiet as unknown as typeof EventSource
  setActivePinia(createPinia())
  switchLanguage('zh-CN')
  serve({ 'GET /session': ME })
  await useSession().restore()
})
afterEach(() => {
  mounted?.unmount()
  mounted = null
  document.body.innerHTML = ''
  setCsrfToken('')
})

describe('the query page of any kind', () => {
  const rows = [row('a'), row('b', { state: 'sent' })]

  it('draws conditions, columns, words and codes from the declaration', async () => {
    serve({
      'GET /documents/parcel': { items: rows, next_cursor: null, total_estimate: 2 },
      'GET /code-tables/currency': { items: [{ code: '502', zh: '美元', en: 'Dollar' }] },
    })
    const page = await open(QueryList, { kind: KIND, preset: {} }, '/q')
    expect(page.findAll('th').map((th) => th.text().replace(/\s*⇅/, ''))).toEqual([
      '',
      '包裹编号',
      '状态',
      '海关回执说明',
      '标志',
      '价值',
      '入库时间',
      '最近变化',
    ])
    expect(page.findAll(test('document-row'))).toHaveLength(2)
    expect(page.find(test('cell-flag')).text()).toBe('甲类[A]')
    expect(page.find(test('cell-worth')).text()).toBe('12.50')
    expect(page.find(test('cell-stored_at')).text()).toBe('2026-11-20 15:04')
    expect(page.find(test('cell-state')).text()).toBe('暂存')
    switchLanguage('en')
    await flushPromises()
    expect(page.find(test('cell-state')).text()).toBe('Draft')
    expect(page.find(test('condition-parcelNo')).exists()).toBe(true)
  })

  it('asks with the presets, and with the conditions of its address', async () => {
    const sent = serve({ 'GET /documents/parcel': { items: [] } })
    await open(
      QueryList,
      { kind: KIND, preset: { settled: 'false', fixed: { flag: 'A' } } },
      '/q?parcelNo=P-9&stored=2026-11-01~2026-11-02&sort=-stored_at',
    )
    expect(Object.fromEntries(queries(sent)[0]!)).toEqual({
      settled: 'false',
      flag: 'A',
      parcelNo: 'P-9',
      stored_from: '2026-11-01T00:00:00+08:00',
      stored_to: '2026-11-02T23:59:59.999999+08:00',
      sort: '-stored_at',
      page_size: '50',
    })
  })

  it('says of an empty list what brings documents there, or why one cannot bring them oneself', async () => {
    serve({ 'GET /documents/parcel': { items: [] } })
    const settled = await open(QueryList, { kind: KIND, preset: { settled: 'true' } }, '/q')
    expect(settled.find(test('empty-panel')).text()).toContain('到了这些状态后，自动出现在这里：放行')
    mounted?.unmount()
    const begins = await open(QueryList, { kind: KIND, preset: {} }, '/q')
    // without the right to write
    expect(begins.find(test('empty-panel')).text()).toContain('您没有这项权限')
    mounted?.unmount()
    const narrowed = await open(QueryList, { kind: KIND, preset: {} }, '/q?parcelNo=P-9')
    expect(narrowed.find(test('empty-panel')).text()).toContain('请放宽入库时间或减少条件')
  })

  it('unfolds its conditions for an address that is followed to it while it is open', async () => {
    serve({ 'GET /documents/parcel': { items: rows } })
    const page = await open(QueryList, { kind: KIND, preset: {} }, '/q')
    expect(page.find(test('condition-flag')).exists()).toBe(false)
    await router.push('/elsewhere')
    await router.push('/q?flag=A')
    await flushPromises()
    expect(page.find(test('condition-flag')).exists()).toBe(true)
    // what one folds oneself stays folded while one works here
    await page.find(test('query-expand')).trigger('click')
    await page.find(test('query-submit')).trigger('click')
    await flushPromises()
    expect(page.find(test('condition-flag')).exists()).toBe(false)
  })

  it('refuses a range over a month without asking the server', async () => {
    const sent = serve({ 'GET /documents/parcel': { items: rows } })
    const page = await open(QueryList, { kind: KIND, preset: {} }, '/q?stored=2026-09-01~2026-11-20')
    expect(page.find(test('range-error')).text()).toContain('一个自然月')
    const before = queries(sent).length
    await page.find(test('query-submit')).trigger('click')
    await flushPromises()
    expect(queries(sent)).toHaveLength(before)
  })

  it('turns pages by cursor, forwards and back, and keeps the place in the address', async () => {
    const sent = serve({ 'GET /documents/parcel': () => ({ items: rows, next_cursor: 'two', total_estimate: 12000 }) })
    const page = await open(QueryList, { kind: KIND, preset: {} }, '/q')
    expect(page.find(test('total')).text()).toBe('共约 12,000 条')
    await page.find(test('page-next')).trigger('click')
    await flushPromises()
    expect(router.currentRoute.value.query).toEqual({ cursor: 'two', page: '2' })
    expect(page.find(test('page-number')).text()).toBe('第 2 页')
    await page.find(test('page-previous')).trigger('click')
    await flushPromises()
    expect(queries(sent).map((q) => q.get('cursor'))).toEqual([null, 'two', null])
    expect(router.currentRoute.value.query).toEqual({})
  })

  it('reset clears conditions and results and asks nothing', async () => {
    const sent = serve({ 'GET /documents/parcel': { items: rows } })
    const page = await open(QueryList, { kind: KIND, preset: {} }, '/q?parcelNo=P')
    await page.find(test('query-reset')).trigger('click')
    await flushPromises()
    expect(page.find(test('document-row')).exists()).toBe(false)
    expect(router.currentRoute.value.query).toEqual({})
    expect(queries(sent)).toHaveLength(1)
  })

  it('says what failed, with its trace, and tries again', async () => {
    let down = true
    serve({
      'GET /documents/parcel': () =>
        down
          ? problem(503, { detail: '单证服务暂时不可用，数据未改动，请稍后重试。', instance: 'urn:trace:T9' })
          : { items: rows },
    })
    const page = await open(QueryList, { kind: KIND, preset: {} }, '/q')
    expect(page.find(test('error-headline')).text()).toContain('单证服务暂时不可用')
    expect(page.find(test('error-trace')).text()).toBe('T9')
    down = false
    await page.find(test('error-retry')).trigger('click')
    await flushPromises()
    expect(page.findAll(test('document-row'))).toHaveLength(2)
  })

  it('does an action to what is selected and tells for each what became of it', async () => {
    const sent = serve({
      'GET /documents/parcel': { items: rows },
      'POST /documents/parcel/actions/declare': {
        results: [
          { id: 'a', ok: true, state: 'sent' },
          { id: 'b', ok: false, state: 'sent', problem: { detail: 'P-b 已发送，不能再次提交。' } },
        ],
      },
    })
    const page = await open(QueryList, { kind: KIND, preset: { action: 'declare' } }, '/q')
    expect(page.find(test('action-declare')).attributes('aria-disabled')).toBe('true')
    await page.find(test('select-page')).trigger('change')
    expect(page.find(test('selected-count')).text()).toBe('已选 2 条')
    await page.find(test('action-declare')).trigger('click')
    await flushPromises()
    const question = document.body.querySelector('.el-message-box')!
    expect(question.textContent).toContain('其中 1 条的当前状态不能提交海关')
    question.querySelector<HTMLElement>('.el-button--primary')!.click()
    await flushPromises()
    expect(sent.find((one) => one.method === 'POST')).toMatchObject({ body: { ids: ['a', 'b'] } })
    await vi.waitFor(() => expect(inBody('results-dialog')).not.toBeNull())
    expect([inBody('results-done')?.textContent?.trim(), inBody('results-refused')?.textContent?.trim()]).toEqual([
      '✓ 已办理 1 条',
      '✕ 未办理 1 条',
    ])
    expect(inBody('result-reason')?.textContent).toBe('P-b 已发送，不能再次提交。')
    expect(page.find(test('selected-count')).text()).toBe('已选 1 条')
    expect(page.findAll(test('state-tag')).map((tag) => tag.text())).toEqual(['已发送', '已发送'])
    // they stay where they are, marked: the next query of this page leaves them out
    expect(page.findAll(test('leaves'))).toHaveLength(2)
  })

  it('without the permission an action cannot be done, however it is clicked', async () => {
    const sent = serve({ 'GET /documents/parcel': { items: rows } })
    const page = await open(QueryList, { kind: KIND, preset: {} }, '/q')
    await page.findAll(test('select-row'))[0]!.trigger('change')
    await page.find(test('action-delete')).trigger('click')
    await flushPromises()
    expect(document.body.querySelector('.el-message-box')).toBeNull()
    expect(sent.filter((one) => one.method !== 'GET')).toEqual([])
  })

  it('a live change reaches its row where it stands', async () => {
    serve({ 'GET /documents/parcel': { items: rows } })
    const page = await open(QueryList, { kind: KIND, preset: {} }, '/q')
    const { useLive } = await import('@/stores/live')
    useLive().start()
    const changes: StateChange[] = [{ id: 'b', state: 'released', version: 2, settled: true }]
    streams
      .at(-1)!
      .dispatchEvent(new MessageEvent('document.state', { data: JSON.stringify({ kind: 'parcel', changes }) }))
    await flushPromises()
    const second = page.findAll(test('document-row'))[1]!
    expect(second.text()).toContain('放行')
    expect(second.classes()).toContain('flash')
    useLive().stop()
  })
})

describe('signing in', () => {
  const attempt = async (answer: unknown): Promise<VueWrapper> => {
    serve({ 'POST /session': answer })
    useSession().info = null
    const page = await open(SignInPage, {}, '/signin')
    await page.find(test('signin-username')).setValue('li')
    await page.find(test('signin-password')).setValue('secret')
    await page.find('form').trigger('submit')
    await flushPromises()
    return page
  }
  it('says that name or password is wrong and asks for the password again', async () => {
    const page = await attempt(() => problem(401, { detail: '用户名或密码不正确。' }))
    expect(page.find(test('signin-error')).attributes('data-kind')).toBe('wrong')
    expect((page.find(test('signin-password')).element as HTMLInputElement).value).toBe('')
    expect((page.find(test('signin-username')).element as HTMLInputElement).value).toBe('li')
  })
  it('counts down while locked', async () => {
    vi.useFakeTimers()
    const page = await attempt(() => problem(429, {}, { 'Retry-After': '61' }))
    expect(page.find(test('signin-error')).text()).toContain('1:01')
    await vi.advanceTimersByTimeAsync(2000)
    expect(page.find(test('signin-error')).text()).toContain('0:59')
    expect(page.find(test('signin-submit')).attributes('disabled')).toBeDefined()
    vi.useRealTimers()
  })
  it('keeps what was typed when the server is down', async () => {
    const page = await attempt(() => {
      throw new TypeError('network')
    })
    expect(page.find(test('signin-error')).attributes('data-kind')).toBe('down')
    expect((page.find(test('signin-password')).element as HTMLInputElement).value).toBe('secret')
  })
  it('asks for what is missing before it asks the server', async () => {
    const sent = serve({})
    const page = await open(SignInPage, {}, '/signin')
    await page.find('form').trigger('submit')
    expect(page.text()).toContain('请填写用户名')
    expect(sent).toEqual([])
  })
})
