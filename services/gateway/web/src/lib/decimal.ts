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

export const isDecimal = (value: string): boolean => DECIMAL.test(value)

/** Sign, digits without the point, and how many of them stand behind it. */
function unitsOf(value: string): { units: bigint; scale: number } {
  const m = DECIMAL.exec(value)
  if (!m) throw new RangeError('no decimal')
  const fraction = m[3] ?? ''
  const units = BigInt(`${m[2]}${fraction}`)
  return { units: m[1] === '-' ? -units : units, scale: fraction.length }
}
const at = (one: { units: bigint; scale: number }, scale: number): bigint =>
  one.units * 10n ** BigInt(scale - one.scale)

/** Below, equal or above 0 as a is below, equal to or above b; "1.50" equals "1.5". */
export function compareDecimals(a: string, b: string): number {
  const [one, other] = [unitsOf(a), unitsOf(b)]
  const scale = Math.max(one.scale, other.scale)
  const difference = at(one, scale) - at(other, scale)
  return difference === 0n ? 0 : difference < 0n ? -1 : 1
}

/** a minus b, exactly. */
export const subtractDecimals = (a: string, b: string): string =>
  sumDecimals([a, b.startsWith('-') ? b.slice(1) : `-${b.replace('+', '')}`]) ?? ''

/** a times b, rounded half up (away from zero) to so many decimals. */
export function multiplyDecimals(a: string, b: string, decimals: number): string {
  const [one, other] = [unitsOf(a), unitsOf(b)]
  const scale = one.scale + other.scale
  const product = one.units * other.units
  let magnitude = product < 0n ? -product : product
  if (scale > decimals) {
    const step = 10n ** BigInt(scale - decimals)
    magnitude = (magnitude + step / 2n) / step
  } else magnitude *= 10n ** BigInt(decimals - scale)
  const digits = magnitude.toString().padStart(decimals + 1, '0')
  const text = decimals ? `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}` : digits
  return product < 0n && magnitude > 0n ? `-${text}` : text
}
