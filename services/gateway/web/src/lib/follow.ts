// Following something that goes on elsewhere: asked for at growing pauses until it is over or given up.

export const FIRST_PAUSE = 800
export const LONGEST_PAUSE = 5_000
/** so many unanswered questions in a row and the page says so */
const MOST_SILENCE = 5

export const nextPause = (pause: number): number => Math.min(Math.round(pause * 1.5), LONGEST_PAUSE)

export interface Follow<T> {
  read: () => Promise<T>
  show: (now: T) => void
  over: (now: T) => boolean
  /** can this failure never turn into an answer? */
  lasting: (error: unknown) => boolean
  signal: AbortSignal
  wait?: (ms: number) => Promise<void>
}

/** Ends with what it was at its end, with null where the person gave up, or with what made asking useless. */
export async function followUntil<T>({
  read,
  show,
  over,
  lasting,
  signal,
  wait = sleep,
}: Follow<T>): Promise<T | null> {
  let pause = FIRST_PAUSE
  let silent = 0
  while (!signal.aborted) {
    await wait(pause)
    if (signal.aborted) break
    pause = nextPause(pause)
    try {
      const now = await read()
      silent = 0
      if (signal.aborted) break
      show(now)
      if (over(now)) return now
    } catch (error) {
      if (lasting(error) || ++silent >= MOST_SILENCE) throw error
    }
  }
  return null
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
