/** left and right of a cell's text, and the mark of a column that sorts, in px */
export const PADDING = 16
const SORT_MARK = 16

/** The room a column's head needs to be read whole. */
export const headRoom = (label: string, sortable: boolean): number =>
  textRoom(label, 12) + PADDING + (sortable ? SORT_MARK : 0)

/** About how wide a text is in px: Chinese characters are square, others a good half of it. */
export function textRoom(text: string, size = 13): number {
  let width = 0
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0
    width += code >= 0x2e80 ? size : letter >= 'A' && letter <= 'Z' ? size * 0.68 : size * 0.56
  }
  return Math.ceil(width)
}
