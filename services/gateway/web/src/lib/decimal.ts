// Amounts and quantities are texts from the server to the glass. Nothing here may go through a JavaScript number:
// 19 digits do not fit into one.

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?$/

/** Zeros at the end that stand beyond the second decimal say nothing: "50000" → "50", "99500" → "995", "5" → "5". */
const told = (fraction: string | undefined): string => (fraction ?? '').replace(/(?<=^\d\d\d*?)0+$/, '')

/** Digits after the point that are shown ("64.99500" → 3, "12.50000" → 2); 0 for what is no decimal. */
export function significantDecimals(value: string | null | undefined): number {
  const m = DECIMAL.exec(value ?? '')
  return m ? told(m[3]).length : 0
}

/** "1234567.50000" → "1,234,567.50"; with `decimals`, padded to that many but never rounded. Anything else stays as it is. */
export function showDecimal(value: string | null | undefined, decimals = 0): string {
  const m = DECIMAL.exec(value ?? '')
  if (!m) return value ?? ''
  const whole = (m[2] ?? '').replace(/^0+(?=\d)/, '').replace(/\B(?=(\d{3})+$)/g, ',')
  const fraction = told(m[3]).padEnd(decimals, '0')
  return `${m[1] === '-' ? '-' : ''}${whole}${fraction ? `.${fraction}` : ''}`
}

/** One number of decimals for a whole column, so that the points stand under each other. */
export function columnDecimals(values: (string | null | undefined)[]): number {
  return values.reduce((most, value) => Math.max(most, significantDecimals(value)), 0)
}

/** Exact sum of decimal texts; null when one of them is no decimal. */
export function sumDecimals(values: (string | null | undefined)[]): string | null {
  const scale = values.reduce((most, value) => Math.max(most, (DECIMAL.exec(value ?? '')?.[3] ?? '').length), 0)
  let total = 0n
  for (const value of values) {
    const m = DECIMAL.exec(value ?? '')
    if (!m) return null
    const units = BigInt(`${m[2]}${(m[3] ?? '').padEnd(scale, '0')}`)
    total += m[1] === '-' ? -units : units
  }
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, '0')
  const text = scale ? `${digits.slice(0, -scale)}.${digits.slice(-scale)}` : digits
  return `${total < 0n ? '-' : ''}${text}`
}
