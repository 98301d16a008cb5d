// Numbers of the dashboard. Every figure comes with the queries that show exactly the documents it counts.
import type { DeviceKey } from './signing'
import type { Explanation } from './types'

/** Parameters of GET /documents/{kind}. */
export type FigureQuery = Record<string, string>
export interface FigurePart {
  kind: string
  count: number
  query: FigureQuery
  /** of what waits: ready, refused, attention, overdue */
  what?: string
}
export interface Figure {
  count: number
  of: FigurePart[]
}
export interface WaitingItem extends Figure {
  what: string
  text: string
}
export interface Overview {
  day: string
  at: string
  received: Figure
  cleared: Figure
  refused: Figure
  waiting: Figure & { items: WaitingItem[] }
}
export interface DayGroup extends Figure {
  day: string
  group: string
}
export interface Daily {
  from: string
  to: string
  groups: { group: string; text: string }[]
  items: DayGroup[]
}
export interface Refusal extends Figure {
  refusal: string
  code: string
  status_text: string
  text: string
  explanation: Explanation | null
  /** of all refusals of the period, and of this and those before it */
  share: number
  cumulative: number
}
export interface Refusals {
  from: string
  to: string
  total: number
  more: boolean
  items: Refusal[]
}
export interface Times extends FigurePart {
  median_seconds: number
  p90_seconds: number
}
export interface Clearance {
  from: string
  to: string
  items: (Times & { days: (Times & { day: string })[] })[]
}
export interface SigningDevice {
  key: DeviceKey
  /** that wait for it; of them `taken` are in its hands */
  messages: number
  taken: number
  rate: { per_minute: number; signatures: number; last_at: string } | null
  ends_at: string | null
  /** why there is no estimate */
  reason: { code: string; text: string } | null
}
export interface SigningDevices {
  at: string
  waiting: Figure & { messages: number }
  items: SigningDevice[]
}
