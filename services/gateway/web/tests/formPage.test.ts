// The form as people meet it, over a made-up kind; only the server at the other end of fetch is played.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter, RouterView, type Router } from 'vue-router'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { setCsrfToken } from '@/api/client'
import { i18n, switchLanguage } from '@/locales'
import FormPage from '@/pages/form/FormPage.vue'
import { useSession } from '@/stores/session'
import { useTabs } from '@/stores/tabs'
import { KIND, problem, row, serve, type Answers, type Sent } from './support'

const ME = {
  user: { id: 'u', username: 'li', name: '李' },
  tenant: { id: 't', name: '甲' },
  enterprise: { code: '91X', name: '甲', kinds: ['operator'] },
  roles: ['declarant'],
  permissions: ['document.read', 'document.write', 'document.declare', 'document.delete'],
  csrf_token: 'tok',
}
const stored = (changes = {}) => ({
  ...row('a', { number: 'P-1' }),
  body: { head: { parcelNo: 'P-1', worth: '12.50000' }, lines: [{ no: '1', totalPrice: '12.50' }] },
  etag: '"1"',
  warnings: [],
  ...changes,
})
const KINDS: Answers = {
  'GET /kinds/parcel': KIND,
  'GET /strategies': { items: [] },
  'PUT /documents/parcel/a/editors': { items: [{ name: '李', since: '2026-11-20T15:04:00+08:00', me: true }] },
  'DELETE /documents/parcel/a/editors': {},
  'GET /code-tables/currency': { items: [], total_estimate: 0 },
}
let mounted: VueWrapper | null = null
let router: Router

async function open(path: string, answers: Answers): Promise<{ page: VueWrapper; sent: Sent[] }> {
  const sent = serve({ ...KINDS, ...answers })
  const Other = defineComponent({ setup: () => () => h('div') })
  router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/documents/:kind/new', component: FormPage },
      { path: '/documents/:kind/:id/edit', component: FormPage },
      { path: '/:rest(.*)*', component: Other },
    ],
  })
  await router.push(path)
  mounted = mount(defineComponent({ setup: () => () => h(RouterView, { key: router.currentRoute.value.path }) }), {
    global: { plugins: [router, i18n] },
    attachTo: document.body,
  })
  await flushPromises()
  return { page: mounted, sent }
}
/** What changes something; that one has the form open is no change. */
const written = (sent: Sent[]) => sent.filter((one) => one.method !== 'GET' && !one.url.endsWith('/editors'))
const test = (name: string) => `[data-test="${name}"]`
const bodies = (sent: Sent[], method: string) => sent.filter((one) => one.method === method).map((one) => one.body)
const agree = async () => {
  await vi.waitFor(() => expect(document.body.querySelector('.el-message-box')).not.toBeNull())
  document.body.querySelector<HTMLElement>('.el-message-box__btns .el-button--primary')!.click()
  await flushPromises()
}

beforeEach(async () => {
  globalThis.EventSource = class extends EventTarget {
    close() {}
  } as unknown as typeof EventSource
  setActivePinia(createPinia())
  switchLanguage('zh-CN')
  serve({ 'GET /session': ME })
  await useSession().restore()
})
afterEach(() => {
  vi.useRealTimers()
  mounted?.unmount()
  mounted = null
  document.body.innerHTML = ''
  setCsrfToken('')
})

describe('a new document', () => {
  it('is saved as it was typed, told what it lacks, and goes on under its own address', async () => {
    const warnings = [{ pointer: '/head/flag', code: 'required', message: '标志必填，请填写。' }]
    const { page, sent } = await open('/documents/parcel/new', {
      'POST /documents/parcel': stored({ warnings }),
      'GET /documents/parcel/a': stored(),
    })
    await page.find(test('input-parcelNo')).setValue('P-1')
    await page.find(test('input-worth')).setValue('12.50000')
    expect(useTabs().unsaved.has('/documents/parcel/new')).toBe(true)
    await page.find(test('form-save')).trigger('click')
    await flushPromises()
    expect(bodies(sent, 'POST')).toEqual([{ head: { parcelNo: 'P-1', worth: '12.50000' }, lines: [] }])
    expect(router.currentRoute.value.path).toBe('/documents/parcel/a/edit')
    await flushPromises()
    expect(page.find(test('form-errors')).attributes('data-tone')).toBe('amber')
    expect(page.find(test('form-error')).text()).toBe('标志必填，请填写。')
    expect(useTabs().unsaved.size).toBe(0)
  })

  it('shows what the server refuses at its field and in the list, until it is changed', async () => {
    const errors = [
      { pointer: '/head/worth', code: 'digits', message: '最多 5 位小数。' },
      { pointer: '/lines/0/totalPrice', code: 'range', message: '须大于 0。' },
    ]
    const { page } = await open('/documents/parcel/new', {
      'POST /documents/parcel': () => problem(422, { detail: '有 2 处内容不正确。', errors }),
    })
    // what the page sees by itself comes a moment after the last key: here that moment never comes
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await page.find(test('input-parcelNo')).setValue('P-1')
    await page.find(test('line-add')).trigger('click')
    await page.find(test('line-totalPrice')).trigger('mousedown')
    await page.find(test('line-totalPrice')).setValue('0')
    await page.find(test('form-save')).trigger('click')
    await flushPromises()
    expect(page.find(`${test('field-worth')} ${test('field-fault')}`).text()).toBe('最多 5 位小数。')
    expect(page.findAll(test('form-error'))).toHaveLength(2)
    const wrong = page.find(test('line')).find('[aria-invalid="true"]')
    expect(wrong.attributes('title')).toBe('须大于 0。')
    expect(page.find(test('line-told')).text()).toBe('须大于 0。')
    await page.find(test('input-worth')).setValue('1')
    expect(page.find(`${test('field-worth')} ${test('field-fault')}`).exists()).toBe(false)
    expect(page.findAll(test('form-error'))).toHaveLength(1)
  })

  it('is not for people whom the kind is not for', async () => {
    serve({ 'GET /session': { ...ME, enterprise: { ...ME.enterprise, kinds: ['ecommerce'] } } })
    await useSession().restore()
    const { page } = await open('/documents/parcel/new', { 'GET /kinds/parcel': { ...KIND, senders: ['operator'] } })
    expect(page.find(test('form-save')).attributes('aria-disabled')).toBe('true')
  })
})

describe('a stored document', () => {
  const theirs = (head: Record<string, string>) =>
    stored({ etag: '"2"', version: 2, body: { head, lines: [{ no: '1', totalPrice: '12.50' }] } })
  const saves = (sent: Sent[]) => sent.filter((one) => one.method === 'PUT' && one.url.endsWith('/a'))
  /** Whoever does not name the newest version is refused. */
  const guarded = (etag: string, answer: unknown) => (one: Sent) =>
    one.headers['If-Match'] === etag ? answer : problem(412, { detail: '单据已被他人修改。' })

  it('is replaced under its ETag; what somebody faster changed elsewhere goes with it', async () => {
    let reads = 0
    const fresh = theirs({ parcelNo: 'P-1', worth: '12.50000', money: '502' })
    const { page, sent } = await open('/documents/parcel/a/edit', {
      'GET /documents/parcel/a': () => (reads++ ? fresh : stored()),
      'PUT /documents/parcel/a': guarded('"2"', stored({ etag: '"3"', version: 3 })),
    })
    await page.find(test('input-worth')).setValue('99')
    await page.find(test('form-save')).trigger('click')
    await flushPromises()
    expect(saves(sent).map((one) => one.headers['If-Match'])).toEqual(['"1"', '"2"'])
    expect(saves(sent).at(-1)?.body).toMatchObject({ head: { parcelNo: 'P-1', worth: '99', money: '502' } })
    expect(useTabs().unsaved.size).toBe(0)
  })

  it('asks where both changed the same, and saves what was chosen', async () => {
    let reads = 0
    const { page, sent } = await open('/documents/parcel/a/edit', {
      'GET /documents/parcel/a': () => (reads++ ? theirs({ parcelNo: 'P-1', worth: '77' }) : stored()),
      'PUT /documents/parcel/a': guarded('"2"', stored({ etag: '"3"', version: 3 })),
    })
    await page.find(test('input-worth')).setValue('99')
    await page.find(test('form-save')).trigger('click')
    await vi.waitFor(() => expect(document.body.querySelector(test('merge-conflict'))).not.toBeNull())
    const save = () => document.body.querySelector<HTMLButtonElement>(test('merge-save'))!
    expect([save().disabled, saves(sent).length]).toEqual([true, 1])
    document.body.querySelector<HTMLInputElement>(test('merge-mine'))!.click()
    await flushPromises()
    save().click()
    await flushPromises()
    expect(saves(sent).at(-1)?.headers['If-Match']).toBe('"2"')
    expect(saves(sent).at(-1)?.body).toMatchObject({ head: { worth: '99' } })
  })

  it('keeps what was typed through a crash, and offers it once', async () => {
    const answers: Answers = { 'GET /documents/parcel/a': stored() }
    const { page } = await open('/documents/parcel/a/edit', answers)
    await page.find(test('input-worth')).setValue('99')
    window.dispatchEvent(new Event('pagehide'))
    const kept = Object.entries(localStorage).filter(([key]) => key.startsWith('tongguan.draft/'))
    expect(kept).toHaveLength(1)
    // the window is gone without a word; nothing here had a chance to tidy up
    mounted?.unmount()
    kept.forEach(([key, value]) => localStorage.setItem(key, value))
    const again = (await open('/documents/parcel/a/edit', answers)).page
    expect(again.find(test('draft-notice')).exists()).toBe(true)
    expect((again.find(test('input-worth')).element as HTMLInputElement).value).toBe('12.50000')
    await again.find(test('draft-restore')).trigger('click')
    await flushPromises()
    expect((again.find(test('input-worth')).element as HTMLInputElement).value).toBe('99')
    expect(again.find(test('draft-notice')).exists()).toBe(false)
    // closed by the person who typed it: not offered again
    mounted?.unmount()
    expect(Object.keys(localStorage).filter((key) => key.startsWith('tongguan.draft/'))).toEqual([])
  })

  it('keeps what is typed apart from what is offered, and gives up neither for the other', async () => {
    const answers: Answers = { 'GET /documents/parcel/a': stored() }
    const worth = (page: VueWrapper) => page.find(test('input-worth'))
    const kept = () =>
      Object.entries(localStorage)
        .filter(([key]) => key.startsWith('tongguan.draft/'))
        .map(([, text]) => (JSON.parse(text as string) as { head: { worth: string } }).head.worth)
        .sort()
    const { page } = await open('/documents/parcel/a/edit', answers)
    await worth(page).setValue('99')
    window.dispatchEvent(new Event('pagehide'))
    const before = { ...localStorage }
    mounted?.unmount()
    Object.assign(localStorage, before)
    // not decided: what is typed now is kept beside it
    const again = (await open('/documents/parcel/a/edit', answers)).page
    await worth(again).setValue('77')
    window.dispatchEvent(new Event('pagehide'))
    expect(kept()).toEqual(['77', '99'])
    expect(again.findAll(test('draft-notice'))).toHaveLength(1)
    // what is restored takes the form; what stood there is offered in its turn
    await again.find(test('draft-restore')).trigger('click')
    await flushPromises()
    expect((worth(again).element as HTMLInputElement).value).toBe('99')
    expect(kept()).toEqual(['77', '99'])
    expect(again.findAll(test('draft-notice'))).toHaveLength(1)
    await again.find(test('draft-differences')).trigger('click')
    expect(again.find(test('draft-notice')).text()).toContain('77')
    await again.find(test('draft-discard')).trigger('click')
    expect(again.find(test('draft-notice')).exists()).toBe(false)
    expect(kept()).toEqual(['99'])
  })

  it('gives a removed line back with what the server said of it', async () => {
    const errors = [
      { pointer: '/lines/0/totalPrice', code: 'range', message: '须大于 0。' },
      { pointer: '/lines/1/totalPrice', code: 'range', message: '须大于 1。' },
    ]
    const lines = ['1', '2'].map((no) => ({ no, totalPrice: '0' }))
    const { page } = await open('/documents/parcel/a/edit', {
      'GET /documents/parcel/a': stored({ body: { head: { parcelNo: 'P-1', worth: '1' }, lines } }),
      'PUT /documents/parcel/a': () => problem(422, { detail: '有 2 处内容不正确。', errors }),
    })
    const told = () => page.findAll(test('form-error')).map((one) => [one.attributes('data-key'), one.text()])
    await page.find(test('input-worth')).setValue('2')
    await page.find(test('form-save')).trigger('click')
    await flushPromises()
    const both = told()
    expect(both).toHaveLength(2)
    await page.findAll(test('line-totalPrice'))[0]!.trigger('mousedown')
    await page.find(test('line-remove')).trigger('click')
    expect(told()).toEqual([['lines/0/totalPrice', both[1]?.[1]?.replace('2', '1')]])
    await page.find(test('lines')).trigger('keydown', { key: 'z', ctrlKey: true })
    expect(told()).toEqual(both)
  })

  it('is saved before it is filed, and what stands in the way of filing is told at the fields', async () => {
    const { page, sent } = await open('/documents/parcel/a/edit', {
      'GET /documents/parcel/a': stored(),
      'PUT /documents/parcel/a': stored({ etag: '"2"' }),
      'POST /documents/parcel/actions/declare': {
        results: [
          {
            id: 'a',
            ok: false,
            problem: { detail: '内容不正确。', errors: [{ pointer: '/head/parcelNo', message: '编号已使用。' }] },
          },
        ],
      },
    })
    await page.find(test('input-worth')).setValue('13')
    await page.find(test('form-declare')).trigger('click')
    await flushPromises()
    await agree()
    expect(written(sent).map((one) => one.method)).toEqual(['PUT', 'POST'])
    expect(page.find(`${test('field-parcelNo')} ${test('field-fault')}`).text()).toBe('编号已使用。')
  })

  it('that customs has is not edited', async () => {
    const { page } = await open('/documents/parcel/a/edit', { 'GET /documents/parcel/a': stored({ state: 'sent' }) })
    expect(page.find(test('form-closed')).text()).toContain('已发送')
  })
})
