// How states of import tasks, and of the documents in them, are told.
import type { PushState, StateColour, Task, TaskState } from '@/api/types'

export const TASK_COLOURS: Record<TaskState, StateColour> = {
  draft: 'grey',
  generating: 'blue',
  generated: 'green',
  failed: 'red',
}
export const PUSH_COLOURS: Record<PushState, StateColour> = {
  basic: 'grey',
  pending: 'amber',
  declaring: 'blue',
  success: 'green',
  failure: 'red',
}
/** In the order of work. */
export const PUSH_STATES: readonly PushState[] = ['basic', 'pending', 'declaring', 'success', 'failure']
export const TASK_STATES: readonly TaskState[] = ['draft', 'generating', 'generated', 'failed']

/** The push states that occur, with how many documents are in each. */
export const pushCounts = (task: Pick<Task, 'push'>): { state: PushState; n: number }[] =>
  PUSH_STATES.map((state) => ({ state, n: task.push[state] ?? 0 })).filter((one) => one.n > 0)
