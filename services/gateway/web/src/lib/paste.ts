// Cells copied from a spreadsheet, as they come over the clipboard: lines of cells between tabs, quoted where they hold
// line breaks themselves.

export function cellsOf(text: string): string[][] {
  const rows: string[][] = [[]]
  let cell = ''
  let quoted = false
  const end = () => {
    rows.at(-1)?.push(cell.trim())
    cell = ''
  }
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (quoted) {
      if (c === '"' && text[i + 1] === '"') cell += text[i++]
      else if (c === '"') quoted = false
      else cell += c
    } else if (c === '"' && cell === '') quoted = true
    else if (c === '\t') end()
    else if (c === '\n') {
      end()
      rows.push([])
    } else if (c !== '\r') cell += c
  }
  end()
  // a copied range ends with a line break: that is no further row
  if (rows.length > 1 && rows.at(-1)?.join('') === '') rows.pop()
  return rows
}

/** One cell is typed text; only several are a range. */
export const isRange = (cells: readonly string[][]): boolean => cells.length > 1 || (cells[0]?.length ?? 0) > 1
