// The pages of signing as people meet them where the real stack cannot be brought: a server that fails, a queue that moves
// while one chooses, a broken chain.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { LedgerRow, WaitingMessage } from '@/api/signing'
import { EVERY_MS } from '@/lib/usePoll'
import { i18n, switchLanguage } from '@/locales'
import LedgerPage from '@/pages/signing/LedgerPage.vue'
import QueuePage from '@/pages/signing/QueuePage.vue'
import { useSession } from '@/stores/session'
import { problem, serve, type Answers, type Sent } from './support'

const ME = { user: { id: 'u', username: 'li', name: '李' }, tenant: { id: 't', name: '甲' }, csrf_token: 'c' }
const RIGHTS = ['key.read', 'agent.read', 'audit.read', 'document.declare']
const waiting = (id: string, changes: Partial<WaitingMessage> = {}): WaitingMessage => ({
  message_id: id,
  key_id: 'k',
  kind: 'order',
  message_type: 'CEB303',
  enterprise_code: '91',
  documents: 2,
  bulk: false,
  taken: false,
  reason: '',
  queued_at: '2026-11-20T15:04:00+08:00',
  ...changes,
})
const REST: Answers = {
  'GET /devices': { items: [] },
  'GET /devices/cards': { items: [] },
  'GET /edge-agents': { items: [] },
  'GET /stats/devices': { at: '', waiting: { count: 0, of: [], messages: 0 }, items: [] },
}
let page: VueWrapper
const test = (name: string) => `[data-test="${name}"]`
const inBody = (name: string) => document.body.querySelector<HTMLElement>(test(name))

async function open(component: object, answers: Answers, rights = RIGHTS): Promise<Sent[]> {
  setActivePinia(createPinia())
  serve({ 'GET /session': { ...ME, permissions: rights } })
  await useSession().restore()
  const sent = serve({ ...REST, ...answers })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:rest(.*)*', component: {} }] })
  await router.push('/signing-queue')
  page = mount(component, { global: { plugins: [router, i18n] }, attachTo: document.body })
  await flushPromises()
  return sent
}
beforeEach(() => switchLanguage('zh-CN'))
afterEach(() => {
  page.unmount()
  document.body.innerHTML = ''
  vi.useRealTimers()
})
async function later(): Promise<void> {
  await vi.advanceTimersByTimeAsync(EVERY_MS)
  await flushPromises()
}

describe('the signing queue', () => {
  it('says what failed, and asks again', async () => {
    let up = false
    await open(QueuePage, {
      'GET /signing-queue': () =>
        up ? { items: [waiting('m1')] } : problem(503, { detail: '签名服务暂时不可用，请稍后重试。' }),
    })
    expect(page.find(test('error-headline')).text()).toContain('签名服务暂时不可用')
    up = true
    await page.find(test('error-retry')).trigger('click')
    await flushPromises()
    expect(page.findAll(test('queue-row'))).toHaveLength(1)
  })

  it('keeps what one chose while it moves on, and lets go what is signed meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    let items = [waiting('m1'), waiting('m2'), waiting('m3', { taken: true })]
    await open(QueuePage, { 'GET /signing-queue': () => ({ items }) })
    const row = (id: string) => page.find(`[data-id="${id}"]`)
    expect(row('m3').find(test('select-row')).exists()).toBe(false)
    expect(row('m3').text()).toContain('正在签名，不能撤回')
    await page.find(test('select-page')).trigger('change')
    expect(page.find(test('selected-count')).text()).toBe('已选 2 条')
    items = [waiting('m2'), waiting('m4')]
    await later()
    expect(page.findAll(test('queue-row'))).toHaveLength(2)
    expect(page.find(test('selected-count')).text()).toBe('已选 1 条')
    expect((row('m2').find(test('select-row')).element as HTMLInputElement).checked).toBe(true)
    items = [waiting('m2', { taken: true }), waiting('m4')]
    await later()
    expect(page.find(test('selected-count')).text()).toBe('已选 0 条')
  })

  it('tells for each message whether it was withdrawn', async () => {
    const sent = await open(QueuePage, {
      'GET /signing-queue': { items: [waiting('m1aaaaaaaa'), waiting('m2bbbbbbbb')] },
      'POST /signing-queue/actions/withdraw': {
        results: [
          { id: 'm1aaaaaaaa', ok: true },
          { id: 'm2bbbbbbbb', ok: false, problem: { detail: '该报文正在签名，无法撤回。' } },
        ],
      },
    })
    await page.find(test('select-page')).trigger('change')
    await page.find(test('queue-withdraw')).trigger('click')
    await flushPromises()
    expect(document.body.querySelector('.el-message-box')?.textContent).toContain('2 个报文（共 4 份单证）')
    document.body.querySelector<HTMLElement>('.el-message-box__btns .el-button--danger')?.click()
    await flushPromises()
    expect(sent.find((one) => one.method === 'POST')?.body).toEqual({ message_ids: ['m1aaaaaaaa', 'm2bbbbbbbb'] })
    await vi.waitFor(() => expect(inBody('results-refused')?.textContent).toContain('1'))
    expect(inBody('results-dialog')?.textContent).toContain('该报文正在签名')
  })

  it('is looked at without the right to declare, but nothing is taken out', async () => {
    await open(QueuePage, { 'GET /signing-queue': { items: [waiting('m1')] } }, ['key.read'])
    await page.find(test('select-row')).trigger('change')
    expect(page.find(test('queue-withdraw')).attributes('aria-disabled')).toBe('true')
  })
})

describe('the ledger', () => {
  const entry = (changes: Partial<LedgerRow> = {}): LedgerRow => ({
    seq: '7',
    message_id: 'aaaaaaaa-1',
    kind: 'order',
    what: 'signed',
    key_id: 'kkkkkkkk-1',
    algorithm: 'rsa-sha1',
    digest: 'd'.repeat(64),
    at: '2026-11-20T15:04:05+08:00',
    actor: '李',
    hash: 'abcdef0123456789',
    ...changes,
  })
  it('says plainly when the chain does not hold', async () => {
    await open(LedgerPage, { 'GET /ledger': { items: [entry()], chain_valid: false } })
    const chain = page.find(test('ledger-chain'))
    expect(chain.attributes('role')).toBe('alert')
    expect(chain.text()).toContain('有行被改动或缺失')
    expect(page.find(test('ledger-row')).text()).toContain('abcdef0123…')
  })
  it('turns pages and narrows to one message', async () => {
    const sent = await open(LedgerPage, {
      'GET /ledger': () => ({ items: [entry()], next_cursor: '7', chain_valid: true }),
    })
    const asked = () => sent.filter((one) => one.url.includes('/ledger')).map((one) => one.url.split('?')[1])
    await page.find(test('page-next')).trigger('click')
    await flushPromises()
    await page.find(test('ledger-only')).trigger('click')
    await flushPromises()
    expect(asked()).toEqual(['page_size=50', 'page_size=50&cursor=7', 'message_id=aaaaaaaa-1&page_size=50'])
  })
})
