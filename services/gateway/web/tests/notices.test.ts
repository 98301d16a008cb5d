// The bell: a burst is one line, the list is bounded, and what was missed is asked for.
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { documents } from '@/api/calls'
import { MOST, withDocuments, type Notice } from '@/lib/notices'
import { useNotices } from '@/stores/notices'
import { PAUSE } from '@/stores/preferences'
import { useSession } from '@/stores/session'
import { KIND, problem, row, serve, type Answers } from './support'

const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 8, minute)).toISOString()
const refused = (count: number, minute: number) => ({
  kind: 'parcel',
  state: 'rejected',
  count,
  name: 'P-1',
  at: at(minute),
  to: '/x',
})

describe('the list', () => {
  it('tells a burst in one line, with the number only while it is one', () => {
    let list = withDocuments([], refused(1, 0))
    expect(list[0]).toMatchObject({ count: 1, name: 'P-1', read: false })
    for (let i = 0; i < 99; i++) list = withDocuments(list, refused(1, 1))
    expect(list).toHaveLength(1)
    expect(list[0]).toMatchObject({ count: 100, name: undefined, at: at(1) })
  })
  it('begins a new line after a while, for another state, and when the former was read', () => {
    let list = withDocuments([], refused(1, 0))
    list = withDocuments(list, refused(1, 30))
    list = withDocuments(list, { ...refused(1, 31), state: 'send_failed' })
    list = withDocuments(
      list.map((item) => ({ ...item, read: true })),
      refused(1, 32),
    )
    expect(list.map((item) => item.read)).toEqual([false, true, true, true])
  })
  it('keeps so many and no more', () => {
    let list: Notice[] = []
    for (let hour = 0; hour < MOST + 5; hour++) list = withDocuments(list, refused(1, hour * 60))
    expect(list).toHaveLength(MOST)
    expect(list[0]?.at).toBe(at((MOST + 4) * 60))
  })
})

const ME = { user: { id: 'u', username: 'li' }, permissions: ['document.read'], csrf_token: 't' }
async function signedIn(answers: Answers, kept: object = {}) {
  const sent = serve({
    'GET /session': ME,
    'GET /preferences': { items: { 'notices.own': kept } },
    'PUT /preferences/notices.own': {},
    'GET /kinds/parcel': KIND,
    ...answers,
  })
  await useSession().restore()
  return { sent, notices: useNotices() }
}

describe('the bell', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    vi.useFakeTimers({ now: Date.parse(at(0)) })
  })
  afterEach(() => vi.useRealTimers())

  it('hears of what this person moved, and of nobody else’s', async () => {
    const results = ['a', 'b', 'd'].map((id) => ({ id, ok: true, state: 'sent' }))
    const { notices, sent } = await signedIn({ 'POST /documents/parcel/actions/declare': { results } })
    await documents.act('parcel', 'declare', ['a', 'b', 'd'])
    await vi.advanceTimersByTimeAsync(0)
    const change = (id: string, state: string) => ({
      id,
      number: `P-${id}`,
      state,
      version: 2,
      settled: false,
      updated_at: at(1),
    })
    await notices.states('parcel', [change('a', 'rejected'), change('b', 'released'), change('c', 'rejected')])
    expect(notices.items).toMatchObject([{ what: 'document', count: 1, name: 'P-a', to: '/documents/parcel/a' }])
    // an event may be heard again
    for (let i = 0; i < 2; i++) await notices.states('parcel', [change('b', 'rejected')])
    expect(notices.items).toMatchObject([{ count: 2, to: '/documents/parcel?state=rejected' }])
    expect(notices.unread).toBe(1)
    await vi.advanceTimersByTimeAsync(PAUSE)
    expect(sent.at(-1)).toMatchObject({ method: 'PUT', url: '/api/v1/preferences/notices.own' })
    notices.readAll()
    expect(notices.unread).toBe(0)
  })
  it('tells when the last of a batch is through, with what became of each', async () => {
    const results = ['a', 'b', 'c'].map((id) => ({ id, ok: id !== 'c', state: 'sent' }))
    const { notices } = await signedIn({ 'POST /documents/parcel/actions/declare': { results } })
    await documents.act('parcel', 'declare', ['a', 'b', 'c'])
    await vi.advanceTimersByTimeAsync(0)
    expect(notices.waiting).toBe(true)
    const change = (id: string, state: string) => ({ id, number: `P-${id}`, state, version: 2, settled: false })
    await notices.states('parcel', [change('a', 'sent'), change('a', 'released'), change('x', 'released')])
    expect(notices.items).toEqual([])
    await notices.states('parcel', [change('b', 'rejected')])
    expect(notices.items).toMatchObject([
      { what: 'batch', count: 2, came: { released: 1, rejected: 1 }, to: '/documents/parcel' },
      { what: 'document', name: 'P-b' },
    ])
    expect(notices.waiting).toBe(false)
  })
  it('asks after a reload for the documents it waits for, and for nobody else’s', async () => {
    const batch = { kind: 'parcel', at: at(-30), total: 3, open: ['a', 'gone', 'c'], came: {} }
    const { notices, sent } = await signedIn(
      {
        'GET /preferences': { items: { 'following.own': [batch] } },
        'PUT /preferences/following.own': {},
        'DELETE /preferences/following.own': {},
        'GET /documents/parcel/a': row('a', { number: 'P-a', state: 'released' }),
        'GET /documents/parcel/gone': () => problem(404, {}),
        'GET /documents/parcel/c': row('c', { number: 'P-c', state: 'sent' }),
      },
      {},
    )
    await notices.catchUp()
    expect(notices.items).toEqual([])
    expect(sent.some((one) => one.url.includes('/documents/parcel?'))).toBe(false)
    await notices.states('parcel', [{ id: 'c', number: 'P-c', state: 'released', version: 3, settled: false }])
    expect(notices.items).toMatchObject([{ what: 'batch', count: 2, came: { released: 2 } }])
    expect(notices.items[0]?.to).toBe('/documents/parcel?state=released')
  })
  it('tells once that the device that signs is out of reach, until it is back', async () => {
    let state = 'unavailable'
    const key = () => ({ id: 'k', label: '加密机一', active: true, state, not_after: at(60 * 24 * 300) })
    const { notices } = await signedIn({
      'GET /session': { ...ME, permissions: ['key.read'] },
      'GET /devices': () => Response.json({ items: [key()] }),
    })
    for (let i = 0; i < 2; i++) await notices.signing()
    expect(notices.items).toMatchObject([{ what: 'device', name: '加密机一', read: false, to: '/settings/keys' }])
    state = 'usable'
    await notices.signing()
    expect(notices.unread).toBe(0)
    state = 'unavailable'
    await vi.advanceTimersByTimeAsync(60_000)
    await notices.signing()
    expect([notices.unread, notices.items.length]).toEqual([1, 2])
  })
  it('asks after a reload for what it missed, once', async () => {
    const job = { what: 'export', kind: 'parcel', id: 'e' }
    const { notices } = await signedIn(
      {
        'GET /exports/e': { id: 'e', state: 'done', rows: 12, done: 12 },
        'GET /documents/parcel': { items: [row('1', { updated_at: at(-1) }), row('2', { updated_at: at(-60) })] },
      },
      { jobs: [job], kinds: ['parcel'], seen: at(-30) },
    )
    await notices.catchUp()
    expect(notices.items).toMatchObject([
      { what: 'document', count: 1, name: 'P-1' },
      { what: 'export', state: 'done', count: 12 },
    ])
    notices.readAll()
    await notices.catchUp()
    expect(notices.unread).toBe(0)
  })
  it('tells once of a mandate that ends soon', async () => {
    const { notices } = await signedIn({
      'GET /session': {
        ...ME,
        permissions: [],
        clients: [{ id: 'c', name: '客户', mandate: { to: at(60 * 24 * 5) } }],
      },
    })
    await notices.start()
    expect(notices.items).toMatchObject([{ what: 'mandate', name: '客户', to: '/clients' }])
    notices.readAll()
    await notices.start()
    expect(notices.unread).toBe(0)
    expect(notices.items).toHaveLength(1)
  })
})
