// Searching a code table by digits, letters (pinyin initials) and Chinese, in the order in which the server answers.
import type { CodeItem } from '@/api/types'

/** How well a code answers what was typed, 0 = best; null if it does not. */
function rank(item: CodeItem, wanted: string): number | null {
  const [code, name] = [item.code.toLowerCase(), item.zh.toLowerCase()]
  if (code === wanted) return 0
  if (code.startsWith(wanted)) return 1
  if (name.startsWith(wanted) || item.pinyin?.startsWith(wanted)) return 2
  if (name.includes(wanted) || item.en?.toLowerCase().includes(wanted) || isReadAs(item.initials, wanted)) return 3
  return null
}

/** Some characters are read in more than one way; any of them will do. */
const isReadAs = (initials: readonly string[] | undefined, wanted: string): boolean =>
  !!initials && wanted.length <= initials.length && [...wanted].every((letter, i) => initials[i]?.includes(letter))

export function searchCodes(items: readonly CodeItem[], q: string): CodeItem[] {
  const wanted = q.trim().toLowerCase()
  if (!wanted) return [...items]
  const ranked = items.flatMap((item) => {
    const found = rank(item, wanted)
    return found === null ? [] : [{ item, found }]
  })
  return ranked.sort((a, b) => a.found - b.found).map(({ item }) => item)
}
