// Dates as the pages show and send them: always Asia/Shanghai, whatever the computer's own zone is.

const SHANGHAI = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Asia/Shanghai',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

function partsOf(at: Date): Record<string, string> {
  return Object.fromEntries(SHANGHAI.formatToParts(at).map((p) => [p.type, p.value]))
}

/** "2026-11-20 15:04" (with seconds on request); "" for nothing, the raw text for what is no time. */
export function showTime(value: string | null | undefined, seconds = false): string {
  if (!value) return ''
  const at = new Date(value)
  if (Number.isNaN(at.getTime())) return value
  const p = partsOf(at)
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}${seconds ? `:${p.second}` : ''}`
}

export function showDate(value: string | null | undefined): string {
  return showTime(value).slice(0, 10)
}

/** Today's date in Shanghai as YYYY-MM-DD. */
export function today(now: Date = new Date()): string {
  const p = partsOf(now)
  return `${p.year}-${p.month}-${p.day}`
}

const asUtc = (day: string) => new Date(`${day}T00:00:00Z`)
const asDay = (at: Date) => at.toISOString().slice(0, 10)

export function addDays(day: string, count: number): string {
  const at = asUtc(day)
  at.setUTCDate(at.getUTCDate() + count)
  return asDay(at)
}

/** The same day of the next month, or that month's last day where it has no such day. */
export function addMonth(day: string): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  const lastOfNext = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return asDay(new Date(Date.UTC(year, month, Math.min(date, lastOfNext))))
}

/** Both ends are days and both are included. */
export type DayRange = [from: string, to: string]
export type RangeFault = 'order' | 'month' | null

/** The storage-time range spans at most one calendar month: the day after its end is no later than its start plus a month. */
export function rangeFault(range: DayRange | null): RangeFault {
  if (!range) return null
  const [from, to] = range
  if (from > to) return 'order'
  return addDays(to, 1) > addMonth(from) ? 'month' : null
}

export type QuickPick = 'today' | 'week' | 'month'
export function quickRange(pick: QuickPick, now: Date = new Date()): DayRange {
  const day = today(now)
  if (pick === 'today') return [day, day]
  if (pick === 'week') return [addDays(day, -6), day]
  return [`${day.slice(0, 8)}01`, day]
}

/** First and last moment of the days, as the API wants them. */
export function rangeQuery(name: string, range: DayRange | null): Record<string, string> {
  if (!range) return {}
  return { [`${name}_from`]: `${range[0]}T00:00:00+08:00`, [`${name}_to`]: `${range[1]}T23:59:59.999999+08:00` }
}

/** Customs times come as yyyyMMddHHmmss (+ milliseconds) inside bodies. */
export function showCustomsTime(value: string): string {
  const m = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})\d*$/.exec(value)
  return m ? `${m[1]}-${m[2]}-${m[3]} ${m[4]}:${m[5]}:${m[6]}` : value
}

/** "20261120" → "2026-11-20" */
export function showCustomsDay(value: string): string {
  const m = /^(\d{4})(\d{2})(\d{2})$/.exec(value)
  return m ? `${m[1]}-${m[2]}-${m[3]}` : value
}

const DAY = /^(\d{4})(?:(\d{2})(\d{2})|[-/.年](\d{1,2})[-/.月](\d{1,2})日?)$/
const CLOCK = /^(\d{1,2}):?(\d{2})(?::?(\d{2}))?$/
const two = (text: string | undefined): string => (text ?? '0').padStart(2, '0')

/** A day as people type it (20261127, 2026-11-27, 2026/11/27, 2026年11月27日) as customs writes it; null if it is none. */
export function typedDay(text: string): string | null {
  const m = DAY.exec(text.trim())
  if (!m) return null
  const day = `${m[1]}-${two(m[2] ?? m[4])}-${two(m[3] ?? m[5])}`
  const at = asUtc(day)
  return !Number.isNaN(at.getTime()) && asDay(at) === day ? day.replaceAll('-', '') : null
}

/** The same with a time behind it (15:04, 15:04:05, 150405); a day alone is its first moment. */
export function typedMoment(text: string): string | null {
  const whole = /^(\d{8})(\d{6})$/.exec(text.trim())
  const [dayText = '', clock = ''] = whole ? [whole[1], whole[2]] : text.trim().split(/\s+/, 2)
  const day = typedDay(dayText ?? '')
  if (!day || (!whole && text.trim().split(/\s+/).length > 2)) return null
  if (!clock) return `${day}000000`
  const m = CLOCK.exec(clock)
  if (!m || Number(m[1]) > 23 || Number(m[2]) > 59 || Number(m[3] ?? 0) > 59) return null
  return `${day}${two(m[1])}${two(m[2])}${two(m[3])}`
}
