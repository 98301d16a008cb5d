// What was done to the lines, so that it can be taken back and done again. One step is what one did at once: a cell, a
// pasted block, some lines. Bounded: the oldest steps are forgotten.
import type { Line } from '@/lib/form'

export type Change =
  | { what: 'cell'; at: number; name: string; before: string; after: string }
  | { what: 'in'; at: number; line: Line }
  | { what: 'out'; at: number; line: Line }
export type Step = Change[]

export const MOST_STEPS = 200

const turned = (change: Change): Change => {
  if (change.what === 'cell') return { ...change, before: change.after, after: change.before }
  return { ...change, what: change.what === 'in' ? 'out' : 'in' }
}
/** What takes a step back: each change turned round, the last one first. */
export const inverse = (step: Step): Step => step.map(turned).reverse()

export class History {
  private done: Step[] = []
  private undone: Step[] = []

  constructor(private readonly most = MOST_STEPS) {}

  push(step: Step): void {
    if (!step.length) return
    this.done.push(step)
    if (this.done.length > this.most) this.done.shift()
    this.undone = []
  }
  /** Takes a step out again that came to nothing. */
  drop(step: Step): void {
    if (this.done.at(-1) === step) this.done.pop()
  }
  /** What to do now to take the last step back; null where there is none. */
  back(): Step | null {
    const step = this.done.pop()
    if (!step) return null
    this.undone.push(step)
    return inverse(step)
  }
  again(): Step | null {
    const step = this.undone.pop()
    if (!step) return null
    this.done.push(step)
    return step
  }
  clear(): void {
    this.done = []
    this.undone = []
  }
}
