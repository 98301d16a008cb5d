// One stream of server-sent events, kept up: it comes back after a loss, says so, and rests while nobody looks
// (a browser allows six connections per server; forgotten windows must not use them up).

export interface Stream {
  close: () => void
}
export interface StreamHandlers {
  events: Record<string, (data: unknown) => void>
  /** the stream is open; `again` = there was a gap, so what was missed must be fetched */
  open: (again: boolean) => void
  /** lost so many times in a row without having been open between */
  lost: (times: number) => void
}
export const FIRST_PAUSE = 1_000
export const LONGEST_PAUSE = 30_000
export const HIDDEN_REST = 60_000

export const nextPause = (pause: number): number => Math.min(pause * 2, LONGEST_PAUSE)

export function openStream(url: string, handlers: StreamHandlers): Stream {
  let source: EventSource | null = null
  let pause = FIRST_PAUSE
  let timer: ReturnType<typeof setTimeout> | undefined
  let rest: ReturnType<typeof setTimeout> | undefined
  let everOpen = false
  let closed = false
  let losses = 0

  function connect(): void {
    if (closed || source) return
    source = new EventSource(url)
    source.onopen = () => {
      pause = FIRST_PAUSE
      losses = 0
      handlers.open(everOpen)
      everOpen = true
    }
    source.onerror = () => {
      drop()
      handlers.lost(++losses)
      timer = setTimeout(connect, pause)
      pause = nextPause(pause)
    }
    for (const [name, handler] of Object.entries(handlers.events)) {
      source.addEventListener(name, (event) => {
        try {
          handler(JSON.parse((event as MessageEvent<string>).data))
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error
          handlers.open(true) // a garbled event is a gap like any other: fetch what was missed
        }
      })
    }
  }
  function drop(): void {
    source?.close()
    source = null
    clearTimeout(timer)
  }
  function look(): void {
    clearTimeout(rest)
    if (document.hidden) rest = setTimeout(drop, HIDDEN_REST)
    else if (!source) {
      clearTimeout(timer)
      connect()
    }
  }
  document.addEventListener('visibilitychange', look)
  connect()
  return {
    close() {
      closed = true
      drop()
      clearTimeout(rest)
      document.removeEventListener('visibilitychange', look)
    },
  }
}
