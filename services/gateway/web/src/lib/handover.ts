// What one page has to tell the next about a document, once: a form that saved a new document is opened again under the
// document's own address and goes on with what the server said. Nothing here outlives the window.
import type { ProblemField } from '@/api/types'

const left = new Map<string, ProblemField[]>()

export function leave(id: string, warnings: ProblemField[]): void {
  left.set(id, warnings)
}
export function pickUp(id: string): ProblemField[] | undefined {
  const found = left.get(id)
  left.delete(id)
  return found
}
