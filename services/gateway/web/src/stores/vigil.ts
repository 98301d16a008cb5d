// How long the session goes on, and whether anybody is at work. Typing and clicking keep it alive on the server, also in
// a form that makes no calls; polling and the event stream do not. The server decides when it ends: this only foresees it.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { setBackground, whenAnswered } from '@/api/client'
import type { SessionLife } from '@/api/types'

/** At most this long before the end the person is warned; never over half of the idle time. */
const WARN = 120_000 // ms
/** At most so often the server hears that somebody types. */
const TOUCH = 60_000
/** A call so long after the last key or click is the page's own doing. */
const AT_WORK = 30_000
const SIGNS = ['keydown', 'pointerdown', 'wheel', 'input'] as const

export interface Session {
  /** asks the server, as a person (true) or without keeping anything alive; a session that is gone is dealt with there */
  ask: (asPerson: boolean) => Promise<void>
  tell: (touchedUntil: number) => void
}

export const useVigil = defineStore('vigil', () => {
  const warned = ref(false)
  /** the end one is warned of comes whatever anybody does: only signing in again helps */
  const latest = ref(false)
  /** of that end the person has been warned, and said: later */
  let putOff = 0
  const now = ref(0)
  const ends = ref(0)
  let idle = 0
  let endsAtLatest = 0
  let lastSign = Date.now()
  let lastTouch = 0
  let session: Session | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let tick: ReturnType<typeof setInterval> | undefined
  let trailing: ReturnType<typeof setTimeout> | undefined

  const warnFor = () => Math.min(WARN, idle / 2)
  const touchEvery = () => Math.min(TOUCH, idle / 4)
  const secondsLeft = computed(() => Math.max(0, Math.ceil((ends.value - now.value) / 1000)))
  /** Nobody has typed or clicked for a while: what this window asks now, nobody asked for. */
  const away = (): boolean => idle > 0 && Date.now() - lastSign > Math.min(AT_WORK, idle / 4)

  function start(of: Session): void {
    if (!session) for (const sign of SIGNS) window.addEventListener(sign, atWork, { capture: true, passive: true })
    session = of
    lastSign = Date.now()
    setBackground(away)
    whenAnswered((sentAt) => touched(sentAt + idle, true))
  }
  function stop(): void {
    for (const sign of SIGNS) window.removeEventListener(sign, atWork, { capture: true })
    session = null
    warned.value = false
    clearTimeout(timer)
    clearTimeout(trailing)
    trailing = undefined
    clearInterval(tick)
    setBackground(() => false)
    whenAnswered(() => undefined)
  }
  /** What the server says of the session's life. */
  function learn(life: SessionLife, serverAhead: number): void {
    if (!life.idle_seconds) return
    idle = life.idle_seconds * 1000
    endsAtLatest = Date.parse(life.ends_at) - serverAhead
    settle(Date.now() + life.idle_left * 1000)
  }
  /** The session was used, here or in another window: it lives until then. */
  function touched(until: number, here: boolean): void {
    if (!session || !idle || until <= ends.value) return
    if (here) {
      lastTouch = Date.now()
      if (until - ends.value > 1000) session.tell(until)
    }
    settle(until)
  }
  function settle(until: number): void {
    ends.value = Math.min(until, endsAtLatest || until)
    clearTimeout(timer)
    if (!session) return
    const left = ends.value - Date.now()
    if (warned.value && left > warnFor()) endWarning()
    if (!warned.value) timer = setTimeout(foresee, Math.max(0, left - warnFor()))
  }
  /** Before anybody is alarmed the server is asked: another window or computer may have kept the session alive. */
  async function foresee(): Promise<void> {
    await ask(false)
    if (!session || warned.value || ends.value - Date.now() > warnFor() + 1000) return
    clearTimeout(timer)
    latest.value = ends.value === endsAtLatest
    // the server's moment is the same, but not how far its clock is ahead
    const told = Math.abs(putOff - endsAtLatest) < AT_WORK
    if (latest.value && told) return void (timer = setTimeout(over, ends.value - Date.now()))
    warned.value = true
    now.value = Date.now()
    tick = setInterval(() => {
      now.value = Date.now()
      if (now.value >= ends.value) void over()
    }, 1000)
  }
  async function over(): Promise<void> {
    endWarning()
    await ask(false)
    // the server grants a moment more: look again then, not at once
    if (session && ends.value - Date.now() <= warnFor()) {
      clearTimeout(timer)
      timer = setTimeout(over, Math.max(1000, ends.value - Date.now()))
    }
  }
  function endWarning(): void {
    warned.value = false
    clearInterval(tick)
  }
  async function ask(asPerson: boolean): Promise<void> {
    try {
      await session?.ask(asPerson)
    } catch {
      // the server is away: the page goes by what it knows
    }
  }
  /** A key, a click: at most once a minute the server hears of it, the last one of a minute included. */
  function atWork(): void {
    lastSign = Date.now()
    if (session && idle && !warned.value && !trailing) touchSoon()
  }
  function touchSoon(): void {
    trailing = setTimeout(
      () => {
        trailing = undefined
        if (lastSign <= lastTouch) return // a call has said so meanwhile
        if (Date.now() - lastTouch >= touchEvery()) void touch()
        else touchSoon()
      },
      Math.max(0, lastTouch + touchEvery() - Date.now()),
    )
  }
  async function touch(): Promise<void> {
    lastTouch = Date.now()
    await ask(true)
  }
  /** 继续工作 */
  async function goOn(): Promise<void> {
    lastSign = Date.now()
    endWarning()
    await touch()
  }
  /** 稍后: no key press puts off the latest end; when it comes, the dialog over the pages keeps what is typed. */
  function later(): void {
    putOff = endsAtLatest
    endWarning()
    settle(ends.value)
  }
  /** Why a session that is gone has ended, as far as this window can tell. */
  const reason = (): 'idle' | 'absolute' | 'elsewhere' =>
    endsAtLatest && Date.now() >= endsAtLatest - 1000
      ? 'absolute'
      : Date.now() >= ends.value - 2000
        ? 'idle'
        : 'elsewhere'

  return { warned, latest, secondsLeft, start, stop, learn, touched, goOn, later, away, reason }
})
