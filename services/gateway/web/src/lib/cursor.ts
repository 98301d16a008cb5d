// Keyset paging has no page numbers of its own: this stack remembers the cursors already walked, so that "previous" works.

export interface CursorStack {
  /** cursor of each page walked so far; the first page has "" */
  readonly cursors: readonly string[]
  /** number of the shown page, from 1; more than cursors.length when the page was opened from a link */
  readonly page: number
}

/** How many rows a page may have. */
export const PAGE_SIZES = [25, 50, 100, 200]

export const firstPage = (): CursorStack => ({ cursors: [''], page: 1 })

/** From a link: the cursor is known, the way to it is not, so "previous" leads to the first page. */
export function fromLink(cursor: string, page: number): CursorStack {
  if (!cursor) return firstPage()
  return { cursors: ['', cursor], page: Number.isInteger(page) && page > 1 ? page : 2 }
}

export const currentCursor = (stack: CursorStack): string => stack.cursors.at(-1) ?? ''
export const hasPrevious = (stack: CursorStack): boolean => stack.cursors.length > 1

export function forward(stack: CursorStack, next: string): CursorStack {
  return { cursors: [...stack.cursors, next], page: stack.page + 1 }
}

export function back(stack: CursorStack): CursorStack {
  if (!hasPrevious(stack)) return stack
  const cursors = stack.cursors.slice(0, -1)
  return { cursors, page: cursors.length === 1 ? 1 : stack.page - 1 }
}
