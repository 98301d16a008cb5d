// What one page has to tell the next about a document, once: a form that saved a new document is opened again under the
// document's own address and goes on with what the server said. Nothing here outlives the window.
import type { ProblemField } from '@/api/types'
import type { Content } from './merge'

const left = new Map<string, ProblemField[]>()

export function leave(id: string, warnings: ProblemField[]): void {
  left.set(id, warnings)
}
export function pickUp(id: string): ProblemField[] | undefined {
  const found = left.get(id)
  left.delete(id)
  return found
}

let copied: { kind: string; content: Content } | null = null
/** What a new form shall begin with. */
export function leaveCopy(kind: string, content: Content): void {
  copied = { kind, content }
}
export function pickUpCopy(kind: string): Content | null {
  const found = copied?.kind === kind ? copied.content : null
  copied = null
  return found
}
