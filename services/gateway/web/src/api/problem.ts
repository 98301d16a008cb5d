// One shape for everything that can go wrong with a call, and the words for it.
// Must never show a raw exception: what the server did not put in words gets words from the locale.
import type { ProblemField } from './types'

export interface ProblemJson {
  type?: string
  title?: string
  status?: number
  detail?: string
  instance?: string
  errors?: ProblemField[]
}

export class ApiProblem extends Error {
  /** HTTP status; 0 = the server could not be reached. */
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly trace: string
  readonly fields: ProblemField[]
  /** seconds, from Retry-After */
  readonly retryAfter: number | null

  constructor(status: number, body: ProblemJson = {}, retryAfter: number | null = null) {
    super(body.detail || body.title || `HTTP ${status}`)
    this.name = 'ApiProblem'
    this.status = status
    this.title = body.title ?? ''
    this.detail = body.detail ?? ''
    this.trace = traceOf(body.instance)
    this.fields = Array.isArray(body.errors) ? body.errors : []
    this.retryAfter = retryAfter
  }
}

/** `instance` is the trace id, perhaps written as a URN or path; people are shown its last part. */
export function traceOf(instance: string | undefined): string {
  return (instance ?? '').replace(/^.*[:/]/, '')
}

export function retryAfterSeconds(header: string | null, now: number = Date.now()): number | null {
  if (!header) return null
  if (/^\d+$/.test(header)) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000))
}

export async function problemFrom(response: Response): Promise<ApiProblem> {
  const retry = retryAfterSeconds(response.headers.get('Retry-After'))
  const type = response.headers.get('Content-Type') ?? ''
  if (!type.includes('json')) return new ApiProblem(response.status, {}, retry)
  try {
    return new ApiProblem(response.status, (await response.json()) as ProblemJson, retry)
  } catch {
    // the answer was cut off on its way: the status still says what kind of failure it is
    return new ApiProblem(response.status, {}, retry)
  }
}

const KNOWN = new Set([0, 400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 502, 503, 504])

/** The locale key that describes a status where the server sent no words. */
export function statusKey(status: number): string {
  if (KNOWN.has(status)) return `problem.s${status}`
  return status >= 500 ? 'problem.s500' : 'problem.s400'
}

export interface ProblemWords {
  headline: string
  hint: string
  fields: ProblemField[]
  trace: string
  canRetry: boolean
}

/** Words for people: what happened, and what to do now. */
export function problemWords(error: unknown, t: (key: string) => string): ProblemWords {
  const problem = error instanceof ApiProblem ? error : new ApiProblem(-1)
  if (problem.status === -1) {
    return { headline: t('problem.page'), hint: t('problem.pageHint'), fields: [], trace: '', canRetry: true }
  }
  const key = statusKey(problem.status)
  const own = !problem.detail // the server's sentence says the way out itself
  return {
    headline: problem.detail || problem.title || t(key),
    hint: own ? t(`${key}Hint`) : '',
    fields: problem.fields,
    trace: problem.trace,
    canRetry: problem.status === 0 || problem.status === 429 || problem.status >= 500,
  }
}

/** Can asking the same again never bring an answer? */
export const lasting = (error: unknown): boolean =>
  error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429
