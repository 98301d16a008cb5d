// Cells on their way from and to a spreadsheet, as they travel over the clipboard: lines of cells between tabs, quoted
// where they hold line breaks themselves. Nothing is trimmed or mended here: what was copied is what arrives.

export function cellsOf(text: string): string[][] {
  const rows: string[][] = [[]]
  let cell = ''
  let quoted = false
  const end = () => {
    rows.at(-1)?.push(cell)
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

const quoted = (cell: string): string => (/["\t\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)

/** The way back: what a spreadsheet takes as cells. */
export const textOf = (cells: readonly (readonly string[])[]): string =>
  cells.map((row) => row.map(quoted).join('\t')).join('\r\n')

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (cell: string): string =>
  cell.replace(/[&<>"]/g, (sign) => ESCAPES[sign] as string).replace(/\r?\n/g, '<br>')

/** The same as a table, in which every cell is a text: Excel would eat the zero at the head of a code otherwise. */
export const tableOf = (cells: readonly (readonly string[])[]): string =>
  `<table>${cells
    .map((row) => `<tr>${row.map((cell) => `<td style="mso-number-format:'\\@'">${escaped(cell)}</td>`).join('')}</tr>`)
    .join('')}</table>`
