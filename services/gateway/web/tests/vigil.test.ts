// Nobody loses a session while they type, nobody keeps one by leaving a page open, and nobody is surprised by its end.
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { documents } from '@/api/calls'
import { useSession } from '@/stores/session'
import { useVigil } from '@/stores/vigil'
import { problem, serve, type Answers, type Sent } from './support'

const MINUTE = 60_000
const IDLE = 30 * MINUTE
let lastUsed = 0
let ended = false
let user = 'u'
let began = 0

/** The server's side: a session that dies half an hour after the last call that a person made. */
function me(): unknown {
  if (ended || Date.now() > lastUsed + IDLE || Date.now() > began + 12 * 60 * MINUTE) return problem(401, {})
  return {
    user: { id: user, username: 'li' },
    permissions: [],
    roles: [],
    clients: [],
    csrf_token: 't',
    session: {
      idle_seconds: IDLE / 1000,
      idle_left: Math.ceil((lastUsed + IDLE - Date.now()) / 1000),
      ends_at: new Date(began + 12 * 60 * MINUTE).toISOString(),
    },
  }
}
function play(more: Answers = {}): Sent[] {
  const sent = serve({ 'GET /session': me, 'GET /preferences': { items: {} }, ...more })
  const fetched = globalThis.fetch
  globalThis.fetch = ((url: string, init: RequestInit = {}) => {
    const background = (init.headers as Record<string, string>)['X-Background']
    if (!background && !ended && Date.now() <= lastUsed + IDLE) lastUsed = Date.now()
    return fetched(url, init)
  }) as typeof fetch
  return sent
}
const asked = (sent: Sent[]) => sent.filter((call) => call.url.endsWith('/session') && !call.headers['X-Background'])
const type = () => window.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }))

beforeEach(() => {
  setActivePinia(createPinia())
  vi.useFakeTimers({ now: 0 })
  lastUsed = 0
  ended = false
  user = 'u'
  began = 0
})
afterEach(() => {
  useVigil().stop()
  vi.useRealTimers()
})

describe('a session', () => {
  it('is kept alive by typing, at most once a minute, the last key included', async () => {
    const sent = play()
    await useSession().restore()
    for (let second = 0; second < 5 * 60; second++) {
      type()
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect(asked(sent).length - 1).toBeGreaterThanOrEqual(4)
    expect(asked(sent).length - 1).toBeLessThanOrEqual(6)
    const last = Date.now() - 1000
    await vi.advanceTimersByTimeAsync(2 * MINUTE)
    expect(lastUsed).toBeGreaterThanOrEqual(last)
    expect(useVigil().warned).toBe(false)
  })
  it('is not kept alive by what the page asks on its own account', async () => {
    const sent = play({ 'GET /documents/parcel': { items: [] } })
    await useSession().restore()
    await documents.query('parcel', {})
    expect(sent.at(-1)?.headers['X-Background']).toBeUndefined()
    for (let minute = 0; minute < 27; minute++) {
      await vi.advanceTimersByTimeAsync(MINUTE)
      await documents.query('parcel', {})
      expect(sent.at(-1)?.headers['X-Background']).toBe('1')
    }
    expect(lastUsed).toBe(0)
    await vi.advanceTimersByTimeAsync(MINUTE + 500)
    expect(useVigil().warned).toBe(true)
  })
  it('warns two minutes before, counts down, and goes on at a word', async () => {
    play()
    await useSession().restore()
    const vigil = useVigil()
    await vi.advanceTimersByTimeAsync(28 * MINUTE - 1000)
    expect(vigil.warned).toBe(false)
    await vi.advanceTimersByTimeAsync(1500)
    expect([vigil.warned, vigil.secondsLeft]).toEqual([true, 120])
    await vi.advanceTimersByTimeAsync(30_000)
    expect(vigil.secondsLeft).toBe(90)
    await vigil.goOn()
    expect(vigil.warned).toBe(false)
    await vi.advanceTimersByTimeAsync(27 * MINUTE)
    expect([vigil.warned, useSession().gone]).toEqual([false, null])
  })
  it('warns before its latest end, too, where only signing in again helps', async () => {
    play({ 'POST /session': () => ((began = Date.now()), me()) })
    const session = useSession()
    const vigil = useVigil()
    await session.restore()
    for (let minute = 0; minute < 12 * 60 - 2; minute++) {
      type()
      await vi.advanceTimersByTimeAsync(MINUTE)
    }
    await vi.advanceTimersByTimeAsync(500)
    expect([vigil.warned, vigil.latest, vigil.secondsLeft]).toEqual([true, true, 120])
    // later: one is not told again, and goes on to the end
    vigil.later()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect([vigil.warned, session.gone]).toEqual([false, null])
    // but one may sign in at once, and the day begins anew
    session.renew()
    expect(session.gone).toBe('soon')
    await session.signIn('li', 'secret')
    expect([session.gone, session.info?.user.id]).toEqual([null, 'u'])
    type()
    await vi.advanceTimersByTimeAsync(5 * MINUTE)
    expect([vigil.warned, session.gone]).toEqual([false, null])
  })
  it('whose latest end was put off ends under the dialog', async () => {
    play()
    const session = useSession()
    await session.restore()
    for (let minute = 0; minute < 12 * 60 - 2; minute++) {
      type()
      await vi.advanceTimersByTimeAsync(MINUTE)
    }
    await vi.advanceTimersByTimeAsync(500)
    session.renew()
    session.putOff()
    expect(session.gone).toBeNull()
    await vi.advanceTimersByTimeAsync(2 * MINUTE + 2000)
    expect(session.gone).toBe('absolute')
    expect(session.signedIn).toBe(true)
  })
  it('alarms nobody whose other window is at work', async () => {
    play()
    await useSession().restore()
    const vigil = useVigil()
    await vi.advanceTimersByTimeAsync(20 * MINUTE)
    vigil.touched(Date.now() + IDLE, false)
    await vi.advanceTimersByTimeAsync(9 * MINUTE)
    expect(vigil.warned).toBe(false)
    // and where that window said nothing, the server knows better
    lastUsed = Date.now()
    await vi.advanceTimersByTimeAsync(20 * MINUTE)
    expect(vigil.warned).toBe(false)
  })
  it('that ends leaves the pages standing, and calls wait for the same user', async () => {
    const sent = play({ 'GET /documents/parcel': () => (ended ? problem(401, {}) : { items: ['x'] }) })
    const session = useSession()
    await session.restore()
    await vi.advanceTimersByTimeAsync(31 * MINUTE)
    expect(session.gone).toBe('idle')
    expect(session.signedIn).toBe(true)
    ended = true
    const answer = documents.query('parcel', {})
    await vi.advanceTimersByTimeAsync(MINUTE)
    ended = false
    lastUsed = Date.now()
    globalThis.fetch = (
      (inner) =>
      (url: string, init: RequestInit = {}) =>
        init.method === 'POST' ? Promise.resolve(Response.json(me())) : inner(url, init)
    )(globalThis.fetch as (url: string, init?: RequestInit) => Promise<Response>) as typeof fetch
    await session.signIn('li', 'secret')
    expect(session.gone).toBeNull()
    expect(await answer).toEqual({ items: ['x'] })
    expect(sent.filter((call) => call.url.includes('/documents/parcel'))).toHaveLength(2)
  })
  it('that is given up lets waiting calls fail', async () => {
    play({ 'GET /documents/parcel': () => problem(401, {}) })
    const session = useSession()
    await session.restore()
    ended = true
    const answer = documents.query('parcel', {}).catch((error: { status: number }) => error.status)
    await vi.advanceTimersByTimeAsync(0)
    expect(session.gone).toBe('elsewhere')
    session.leave()
    expect(await answer).toBe(401)
    expect([session.signedIn, session.left]).toEqual([false, 'ended'])
  })
})
