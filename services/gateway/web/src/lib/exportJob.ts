// Following a workbook that is made in the background: asked for at growing pauses until it is done or given up.
import type { ExportJob } from '@/api/types'
import { followUntil, type Follow } from './follow'

/** rows that are answered at once; more become a job */
export const MOST_DIRECT = 10_000
export const isOver = (job: ExportJob): boolean => job.state === 'done' || job.state === 'failed'
/** 0..1; what is not counted yet is at the beginning. */
export const share = (job: ExportJob): number =>
  job.state === 'done' ? 1 : job.rows ? Math.min(1, job.done / job.rows) : 0

/** Ends with the finished job, with null where the person gave up, or with what made asking useless. */
export const follow = (job: Omit<Follow<ExportJob>, 'over'>): Promise<ExportJob | null> =>
  followUntil({ ...job, over: isOver })
