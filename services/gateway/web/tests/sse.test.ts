import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FIRST_PAUSE, HIDDEN_REST, LONGEST_PAUSE, nextPause, openStream, type Stream } from '@/lib/sse'

/** The browser's end of a stream, driven by hand: jsdom has none. */
class HandStream extends EventTarget {
  static all: HandStream[] = []
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  closed = false
  constructor(readonly url: string) {
    super()
    HandStream.all.push(this)
  }
  close() {
    this.closed = true
  }
  say(name: string, data: string) {
    this.dispatchEvent(new MessageEvent(name, { data }))
  }
}
const last = () => HandStream.all.at(-1)!
let stream: Stream
const log: unknown[] = []
const handlers = {
  events: {
    'document.state': (data: unknown) => {
      log.push(data)
    },
  },
  open: (again: boolean) => {
    log.push(again ? 'again' : 'open')
  },
  lost: (times: number) => {
    log.push(`lost ${times}`)
  },
}
function hide(hidden: boolean) {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}

beforeEach(() => {
  vi.useFakeTimers()
  log.length = 0
  HandStream.all = []
  globalThis.EventSource = HandStream as unknown as typeof EventSource
  stream = openStream('/events', handlers)
})
afterEach(() => {
  stream.close()
  hide(false)
  vi.useRealTimers()
})

describe('the live stream', () => {
  it('hands over events', () => {
    last().onopen?.()
    last().say('document.state', '{"kind":"parcel"}')
    expect(log).toEqual(['open', { kind: 'parcel' }])
  })
  it('comes back after a loss, ever more patiently, and says there was a gap', () => {
    last().onopen?.()
    last().onerror?.()
    expect(HandStream.all[0]?.closed).toBe(true)
    vi.advanceTimersByTime(FIRST_PAUSE)
    expect(HandStream.all).toHaveLength(2)
    last().onerror?.()
    vi.advanceTimersByTime(FIRST_PAUSE)
    expect(HandStream.all).toHaveLength(2)
    vi.advanceTimersByTime(FIRST_PAUSE)
    expect(HandStream.all).toHaveLength(3)
    last().onopen?.()
    expect(log).toEqual(['open', 'lost 1', 'lost 2', 'again'])
    last().onerror?.()
    expect(log.at(-1)).toBe('lost 1')
  })
  it('never waits longer than its longest pause', () => {
    let pause = FIRST_PAUSE
    for (let i = 0; i < 20; i++) pause = nextPause(pause)
    expect(pause).toBe(LONGEST_PAUSE)
  })
  it('treats a garbled event as a gap', () => {
    last().onopen?.()
    last().say('document.state', '{"kind":')
    expect(log).toEqual(['open', 'again'])
  })
  it('rests while nobody looks for long, and not for a glance elsewhere', () => {
    last().onopen?.()
    hide(true)
    vi.advanceTimersByTime(HIDDEN_REST - 1)
    hide(false)
    expect(last().closed).toBe(false)
    hide(true)
    vi.advanceTimersByTime(HIDDEN_REST)
    expect(last().closed).toBe(true)
    hide(false)
    expect(HandStream.all).toHaveLength(2)
    last().onopen?.()
    expect(log).toEqual(['open', 'again'])
  })
  it('stays closed once closed', () => {
    stream.close()
    vi.advanceTimersByTime(LONGEST_PAUSE)
    hide(true)
    hide(false)
    expect(HandStream.all).toHaveLength(1)
  })
})
