import { beforeEach, describe, expect, it } from 'vitest'
import { documents, session } from '@/api/calls'
import { buildUrl, fileNameFrom, serverNow, setCsrfToken, setLanguage, whenSignedOut } from '@/api/client'
import { ApiProblem, problemWords, retryAfterSeconds, statusKey, traceOf } from '@/api/problem'
import { t } from '@/locales'
import { problem, serve } from './support'

beforeEach(() => {
  setLanguage('zh-CN')
  setCsrfToken('')
  whenSignedOut(() => Promise.resolve(false))
})
const failing = async (call: Promise<unknown>): Promise<ApiProblem> => {
  const error = await call.then(
    () => null,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(ApiProblem)
  return error as ApiProblem
}

describe('every call', () => {
  it('carries the language, and a write the CSRF token and a key of its own', async () => {
    const sent = serve({
      'GET /documents/parcel': { items: [] },
      'POST /documents/parcel/actions/declare': { results: [] },
    })
    setLanguage('en')
    setCsrfToken('tok')
    await documents.query('parcel', {})
    await documents.act('parcel', 'declare', ['a'])
    await documents.act('parcel', 'declare', ['a'])
    expect(sent[0]?.headers).toMatchObject({ 'Accept-Language': 'en' })
    expect(sent[0]?.headers).not.toHaveProperty('X-CSRF-Token')
    expect(sent[1]?.headers).toMatchObject({ 'X-CSRF-Token': 'tok' })
    expect(sent[1]?.body).toEqual({ ids: ['a'] })
    expect(sent[1]?.headers['Idempotency-Key']).toMatch(/^[0-9a-f]{32}$/)
    expect(sent[1]?.headers['Idempotency-Key']).not.toBe(sent[2]?.headers['Idempotency-Key'])
  })
  it('leaves empty parameters out and escapes the others', () => {
    expect(buildUrl('/documents/x', { a: '', b: null, c: 'ü&=', d: 0 })).toBe('/api/v1/documents/x?c=%C3%BC%26%3D&d=0')
  })
  it('tells when the session is gone, except where one asks for it', async () => {
    let gone = 0
    whenSignedOut(() => {
      gone++
      return Promise.resolve(false)
    })
    serve({ 'GET /documents/parcel': () => problem(401, {}), 'GET /session': () => problem(401, {}) })
    await failing(documents.query('parcel', {}))
    await failing(session.read())
    expect(gone).toBe(1)
  })
  it('gives a lost connection a shape of its own', async () => {
    serve({})
    expect((await failing(documents.query('parcel', {}))).status).toBe(0)
  })
  it('keeps fields, trace and waiting time of a problem', async () => {
    serve({
      'GET /documents/parcel': () =>
        problem(
          422,
          {
            detail: '区间过长',
            instance: 'urn:trace:abc',
            errors: [{ pointer: '/stored_to', code: 'window', message: '最多一个月', value: 'x' }],
          },
          { 'Retry-After': '9' },
        ),
    })
    expect(await failing(documents.query('parcel', {}))).toMatchObject({
      status: 422,
      detail: '区间过长',
      trace: 'abc',
      retryAfter: 9,
      fields: [{ message: '最多一个月' }],
    })
  })
  it('learns the server’s clock', async () => {
    serve({
      'GET /documents/parcel': () =>
        Response.json({ items: [] }, { headers: { Date: new Date(Date.now() + 3_600_000).toUTCString() } }),
    })
    await documents.query('parcel', {})
    expect(Date.parse(serverNow()) - Date.now()).toBeGreaterThan(3_590_000)
  })
  it('survives an answer that is no JSON', async () => {
    serve({
      'GET /documents/parcel': () =>
        new Response('<html>502</html>', { status: 502, headers: { 'Content-Type': 'text/html' } }),
    })
    expect(await failing(documents.query('parcel', {}))).toMatchObject({ status: 502, detail: '' })
  })
})

describe('words for problems', () => {
  it('are the server’s where it has some', () => {
    expect(problemWords(new ApiProblem(409, { detail: '订单已提交，不能删除。' }), t)).toMatchObject({
      headline: '订单已提交，不能删除。',
      hint: '',
      canRetry: false,
    })
  })
  it('are ours for every status without words, and never raw', () => {
    for (const status of [0, 400, 401, 403, 404, 405, 409, 412, 413, 415, 418, 422, 429, 500, 502, 503, 504, 599]) {
      const words = problemWords(new ApiProblem(status), t)
      expect(words.headline, String(status)).not.toMatch(/problem\.|HTTP|undefined/)
      expect(words.hint, String(status)).not.toMatch(/problem\.|undefined/)
    }
  })
  it('hide what a program error says', () => {
    const words = problemWords(new TypeError("Cannot read properties of undefined (reading 'x')"), t)
    expect(words.headline).not.toContain('undefined')
    expect(words.canRetry).toBe(true)
  })
  it('offer a retry only where it may help', () => {
    expect(problemWords(new ApiProblem(503), t).canRetry).toBe(true)
    expect(problemWords(new ApiProblem(403), t).canRetry).toBe(false)
  })
  it('read traces and waiting times as they come', () => {
    expect(traceOf('urn:trace:01J')).toBe('01J')
    expect(traceOf('/trace/01J')).toBe('01J')
    expect(traceOf(undefined)).toBe('')
    expect(retryAfterSeconds('887')).toBe(887)
    expect(retryAfterSeconds('Fri, 20 Nov 2026 07:00:10 GMT', Date.parse('2026-11-20T07:00:00Z'))).toBe(10)
    expect(retryAfterSeconds(null)).toBeNull()
    expect(statusKey(599)).toBe('problem.s500')
  })
})

describe('names of downloads', () => {
  it('prefer the encoded one', () => {
    expect(fileNameFrom('attachment; filename="download.xlsx"; filename*=UTF-8\'\'%E6%A8%A1%E6%9D%BF.xlsx', 'x')).toBe(
      '模板.xlsx',
    )
    expect(fileNameFrom('attachment; filename="a.xlsx"', 'x')).toBe('a.xlsx')
    expect(fileNameFrom("attachment; filename*=UTF-8''%ZZ", 'x')).toBe('x')
    expect(fileNameFrom(null, 'x')).toBe('x')
  })
})
