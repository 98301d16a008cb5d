// What the dashboard makes of the server's numbers: addresses of the queries behind them, series of plots, units.
import type { Daily, Figure, FigurePart, FigureQuery, Refusals, Times } from '@/api/stats'
import { addDays, showDate } from './dates'

/** Where the documents of a figure are shown: the query as the address of a query page has it. */
export function queryAddress(
  kind: string,
  query: FigureQuery,
): { path: string; query: Record<string, string | string[]> } {
  const address: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(query)) {
    const range = /^(.+)_(from|to)$/.exec(name)
    if (range) address[range[1]!] = `${showDate(query[`${range[1]}_from`])}~${showDate(query[`${range[1]}_to`])}`
    else address[name] = name === 'state' && value.includes(',') ? value.split(',') : value
  }
  return { path: `/documents/${kind}`, query: address }
}

export const partAddress = (part: FigurePart) => queryAddress(part.kind, part.query)
export const NOTHING: Figure = { count: 0, of: [] }

/** All days from the first to the last, also those on which nothing happened. */
export function daysOf(from: string, to: string): string[] {
  const days = [from]
  while (days[days.length - 1]! < to) days.push(addDays(days[days.length - 1]!, 1))
  return days
}

export interface Stack {
  group: string
  text: string
  cells: Figure[]
}
/** One row of cells for each group, a cell for each day; groups without any document are left out. */
export function stacksOf(daily: Daily): { days: string[]; stacks: Stack[] } {
  const days = daysOf(daily.from, daily.to)
  const at = new Map(daily.items.map((item) => [`${item.day} ${item.group}`, item]))
  const stacks = daily.groups
    .map(({ group, text }) => ({ group, text, cells: days.map((day) => at.get(`${day} ${group}`) ?? NOTHING) }))
    .filter((stack) => stack.cells.some((cell) => cell.count))
  return { days, stacks }
}

/** What the Pareto plot shows: the first reasons; how many more there are stands below it. */
export const SHOWN_REASONS = 7
export const firstReasons = (refusals: Refusals) => refusals.items.slice(0, SHOWN_REASONS)

export type TimeUnit = 'seconds' | 'minutes' | 'hours' | 'days'
const SECONDS: Record<TimeUnit, number> = { seconds: 1, minutes: 60, hours: 3600, days: 86400 }

/** The greatest unit in which the longest time is at least two. */
export function unitOf(times: readonly Times[]): TimeUnit {
  const longest = Math.max(0, ...times.map((time) => time.p90_seconds))
  return (['days', 'hours', 'minutes'] as const).find((unit) => longest >= 2 * SECONDS[unit]) ?? 'seconds'
}
/** A time in that unit, with one decimal place. */
export const inUnit = (seconds: number, unit: TimeUnit): number => Math.round((seconds / SECONDS[unit]) * 10) / 10

export const percent = (share: number): string => `${Math.round(share * 1000) / 10}%`

/** The first and last day of a choice of days that ends today. */
export function lastDays(choice: 'week' | 'fortnight' | 'month', today: string): { from: string; to: string } {
  if (choice === 'month') return { from: `${today.slice(0, 8)}01`, to: today }
  return { from: addDays(today, choice === 'week' ? -6 : -13), to: today }
}
