// What belongs to a document beside itself: versions, comparison, chain, diagnosis. Shapes of answers, never logic.

/** A version of a document and what it changed against the one before. */
export interface Version {
  id: string
  revision: number
  app_type: string
  state: string
  state_text?: string
  stored_at: string
  created_by?: string | null
  current: boolean
  changes: FieldChange[]
}
export interface FieldChange {
  pointer: string
  label: string
  old: string | null
  new: string | null
}

/** What a refusal means and what to do; `certain`: published for what we send, not only assumed. */
export interface Explanation {
  code: string
  text: string
  way_out: string
  certain: boolean
}

export type LegStatus = 'same' | 'differs' | 'missing' | 'not-needed' | 'unknown'
export interface ComparisonLeg {
  kind: string
  title: string
  id: string | null
  number: string | null
  state: string | null
  state_text?: string | null
  status: LegStatus
  differences: { field: string; label: string; list_value: string; other_value: string; pointer: string }[]
}
export interface Comparison {
  complete: boolean
  legs: ComparisonLeg[]
}

export interface ChainLink {
  id: string
  kind: string
  kind_title: string
  number: string
  state: string
  state_text?: string
  settled: boolean
  via: string
  direction: 'earlier' | 'later' | 'same'
}
export interface ChainGap {
  kind: string
  kind_title: string
  text: string
  /** id of the page where it is done */
  page: string
  action?: string | null
}
export interface Chain {
  items: ChainLink[]
  missing: ChainGap[]
  next: string
}

export type CheckResult = 'ok' | 'warning' | 'failed' | 'unknown'
export interface Diagnosis {
  ok: boolean
  state: string
  items: {
    check: string
    label: string
    result: CheckResult
    text: string
    page: { path: string; label: string } | null
  }[]
}

/**
 * sum: a head field of a line field. product: a line field of two others of its line, both rounded half up to so many
 * decimals. at-most: a head field is not above another.
 */
export interface Reckoning {
  how: 'sum' | 'product' | 'at-most'
  level: 'head' | 'line'
  field: string
  of: string[]
  decimals: number | null
}

/** Who has the form of a document open. */
export interface Editor {
  name: string
  since: string
  me: boolean
}
/** A raw message of a document; `size` counts bytes with the envelope. */
export interface RawMessage {
  id: string
  direction: 'out' | 'in'
  message_type: string
  at: string
  size: number
  documents: number | null
}
