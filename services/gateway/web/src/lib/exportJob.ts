// Following a workbook that is made in the background: asked for at growing pauses until it is done or given up.
import type { ExportJob } from '@/api/types'

/** rows that are answered at once; more become a job */
export const MOST_DIRECT = 10_000
export const FIRST_PAUSE = 800
export const LONGEST_PAUSE = 5_000
/** so many unanswered questions in a row and the page says so */
const MOST_SILENCE = 5

export const nextPause = (pause: number): number => Math.min(Math.round(pause * 1.5), LONGEST_PAUSE)
export const isOver = (job: ExportJob): boolean => job.state === 'done' || job.state === 'failed'
/** 0..1; what is not counted yet is at the beginning. */
export const share = (job: ExportJob): number =>
  job.state === 'done' ? 1 : job.rows ? Math.min(1, job.done / job.rows) : 0

export interface Follow {
  read: () => Promise<ExportJob>
  show: (job: ExportJob) => void
  /** can this failure never turn into an answer? */
  lasting: (error: unknown) => boolean
  signal: AbortSignal
  wait?: (ms: number) => Promise<void>
}

/** Ends with the finished job, with null where the person gave up, or with what made asking useless. */
export async function follow({ read, show, lasting, signal, wait = sleep }: Follow): Promise<ExportJob | null> {
  let pause = FIRST_PAUSE
  let silent = 0
  while (!signal.aborted) {
    await wait(pause)
    if (signal.aborted) break
    pause = nextPause(pause)
    try {
      const job = await read()
      silent = 0
      if (signal.aborted) break
      show(job)
      if (isOver(job)) return job
    } catch (error) {
      if (lasting(error) || ++silent >= MOST_SILENCE) throw error
    }
  }
  return null
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
