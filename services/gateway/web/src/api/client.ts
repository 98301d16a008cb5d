// The only module that talks to the server: language, CSRF token, idempotency key and problems live here once.
// It must never hold page state, and never invents words (see problem.ts).
import { saveFile } from '@/lib/files'
import { randomHex } from '@/lib/random'
import { ApiProblem, problemFrom, retryAfterSeconds, type ProblemJson } from './problem'
import type { Language } from './types'

export type Query = Record<string, string | number | null | undefined>
interface Options {
  query?: Query
  body?: unknown
  signal?: AbortSignal
  headers?: Record<string, string>
  /** asked again and again by the page itself, the same each time: no key keeps its answer, no session lives on it */
  repeated?: boolean
  /** outlives the page that sends it */
  keepalive?: boolean
}

let language: Language = 'zh-CN'
let csrfToken = ''
let clockOffset = 0 // ms by which the server's clock is ahead of this computer's
let onSignedOut: () => Promise<boolean> = () => Promise.resolve(false)
let isBackground: () => boolean = () => false
let onAnswered: (sentAt: number) => void = () => undefined

export function setLanguage(value: Language): void {
  language = value
}
export function setCsrfToken(value: string): void {
  csrfToken = value
}
/**
 * Called when a call finds the session gone (any 401 except at the session itself). Where it answers true, somebody has
 * signed in again meanwhile and the call, of which nothing was done, is made once more.
 */
export function whenSignedOut(handler: () => Promise<boolean>): void {
  onSignedOut = handler
}
/** Tells whether a call made now is the page's own doing: such a one does not keep the session alive. */
export function setBackground(handler: () => boolean): void {
  isBackground = handler
}
/** Called with the time of every call that did keep it alive. */
export function whenAnswered(handler: (sentAt: number) => void): void {
  onAnswered = handler
}
/** By how many ms the server's clock is ahead of this computer's. */
export const serverAhead = (): number => clockOffset

/** Now, by the server's clock (to a second): what happens here is dated like what the server dates. */
export const serverNow = (): string => new Date(Date.now() + clockOffset).toISOString()

export function buildUrl(path: string, query: Query = {}): string {
  const parts = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue
    parts.append(name, String(value))
  }
  const text = parts.toString()
  return `/api/v1${path}${text ? `?${text}` : ''}`
}

/** A random key for one user action, so that a repeat on the way cannot do it twice. */
export const idempotencyKey = (): string => randomHex(16)

function headersFor(method: string, extra: Record<string, string> = {}): Record<string, string> {
  const headers: Record<string, string> = {
    Accept: 'application/json, application/problem+json',
    'Accept-Language': language,
  }
  if (method !== 'GET') {
    if (csrfToken) headers['X-CSRF-Token'] = csrfToken
    headers['Idempotency-Key'] = idempotencyKey()
  }
  if (isBackground()) headers['X-Background'] = '1'
  return { ...headers, ...extra }
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const headers = headersFor(method, options.headers)
  if (options.repeated) {
    delete headers['Idempotency-Key']
    headers['X-Background'] = '1'
  }
  const sentAt = Date.now()
  let body: string | undefined
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    body = JSON.stringify(options.body)
  }
  let response: Response
  try {
    response = await fetch(buildUrl(path, options.query), {
      method,
      headers,
      body,
      signal: options.signal,
      keepalive: options.keepalive,
      credentials: 'same-origin',
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiProblem(0)
  }
  const date = Date.parse(response.headers.get('Date') ?? '')
  if (!Number.isNaN(date)) clockOffset = date - Date.now()
  if (response.ok) {
    if (!headers['X-Background']) onAnswered(sentAt)
    return response
  }
  const problem = await problemFrom(response)
  if (problem.status === 401 && !path.startsWith('/session') && (await onSignedOut()))
    return send(method, path, options)
  throw problem
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await send(method, path, options)
  if (response.status === 204 || response.headers.get('Content-Length') === '0') return undefined as T
  return (await response.json()) as T
}

/** What a file says, as text, with the page's own language and session. */
export async function text(path: string): Promise<string> {
  return (await send('GET', path, { headers: { Accept: '*/*' } })).text()
}

/** Was this call given up by the page itself? Then nothing is shown. */
export function wasAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

export function fileNameFrom(disposition: string | null, fallback: string): string {
  const encoded = /filename\*=(?:UTF-8'')([^;]+)/i.exec(disposition ?? '')?.[1]
  if (encoded) {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return fallback // not valid percent-encoding: the plain name is better than a broken one
    }
  }
  return /filename="?([^";]+)"?/i.exec(disposition ?? '')?.[1] ?? fallback
}

/** Fetches a file with the page's own language and session, then hands it to the browser's downloads. */
export async function download(path: string, fallbackName: string, query: Query = {}): Promise<void> {
  const response = await send('GET', path, { query, headers: { Accept: '*/*' } })
  saveFile(await response.blob(), fileNameFrom(response.headers.get('Content-Disposition'), fallbackName))
}

/** Multipart upload with progress 0..1; fetch cannot report it. */
export function upload<T>(
  path: string,
  form: FormData,
  onProgress: (share: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest()
    call.open('POST', buildUrl(path))
    for (const [name, value] of Object.entries(headersFor('POST'))) call.setRequestHeader(name, value)
    call.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    call.onerror = () => reject(new ApiProblem(0))
    call.onabort = () => reject(new DOMException('aborted', 'AbortError'))
    call.onload = () => {
      let body: unknown = {}
      try {
        body = JSON.parse(call.responseText)
      } catch {
        // a proxy's page instead of our answer: the status alone decides below
      }
      if (call.status >= 200 && call.status < 300) return resolve(body as T)
      const refused = new ApiProblem(
        call.status,
        body as ProblemJson,
        retryAfterSeconds(call.getResponseHeader('Retry-After')),
      )
      if (call.status !== 401) return reject(refused)
      void onSignedOut().then((again) =>
        again ? upload<T>(path, form, onProgress, signal).then(resolve, reject) : reject(refused),
      )
    }
    signal?.addEventListener('abort', () => call.abort())
    call.send(form)
  })
}
