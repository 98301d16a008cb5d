// A pointer of the API ("/head/orderNo", "/lines/2/qty") and the field on the page that it speaks of.

export interface Place {
  level: 'head' | 'lines'
  /** of lines, from 0 */
  index: number | null
  field: string
}

/** Also takes the form of a JSON pointer with a leading "/body"; null for what points at no field. */
export function placeOf(pointer: string | undefined): Place | null {
  const parts = (pointer ?? '').split('/').filter(Boolean)
  if (parts[0] === 'body') parts.shift()
  const [level, ...rest] = parts
  if (level === 'head' && rest.length === 1) return { level, index: null, field: rest[0] as string }
  if (level === 'lines' && rest.length >= 1 && /^\d+$/.test(rest[0] as string))
    return { level, index: Number(rest[0]), field: rest[1] ?? '' }
  return null
}

/** One text for a place, the same however the pointer was written. */
export const placeKey = (place: Place): string =>
  place.level === 'head' ? `head/${place.field}` : `lines/${place.index}/${place.field}`

/** Scrolls to what the pointer speaks of and lets it flash; elements carry it as data-pointer. */
export function pointAt(pointer: string): void {
  const place = placeOf(pointer)
  if (!place) return
  const visible = [...document.querySelectorAll<HTMLElement>(`[data-at="${CSS.escape(placeKey(place))}"]`)].find(
    (element) => element.offsetParent !== null,
  )
  if (!visible) return
  visible.scrollIntoView({ block: 'center', inline: 'nearest' })
  visible.classList.add('pointed')
  setTimeout(() => visible.classList.remove('pointed'), 1600)
  const field = visible.matches('input, textarea, select, button')
    ? visible
    : visible.querySelector<HTMLElement>('input, textarea, select')
  field?.focus({ preventScroll: true })
}
