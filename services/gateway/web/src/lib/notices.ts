// The list behind the bell: bounded, newest first, a burst in one line with a count. Pure; kept by stores/notices.ts.

export interface Notice {
  /** what it is about; a second one about the same replaces or adds to the first */
  key: string
  what: 'import' | 'export' | 'document' | 'batch' | 'mandate' | 'key' | 'device'
  kind?: string
  state?: string
  /** how many documents; the number of one, a label, a day … in words of their own */
  count: number
  name?: string
  at: string
  read: boolean
  to: string
  /** of a batch: how many came to which state */
  came?: Record<string, number>
}
/** Work of this person that still goes on. */
export interface Job {
  what: 'import' | 'export'
  kind: string
  id: string
}
export interface Kept {
  items: Notice[]
  jobs: Job[]
  /** kinds of which this person has moved more documents than are remembered, and until when their states are known here */
  kinds: string[]
  seen: string
  /** signing keys that are told to be out of reach */
  down: string[]
}

/** as many as fit into one preference */
export const MOST = 40
export const MOST_JOBS = 20
/** Documents of one kind that come to one state within this time are one line. */
export const BURST = 10 * 60_000 // ms
export const NOTHING: Kept = { items: [], jobs: [], kinds: [], seen: '', down: [] }

/** With one more; the oldest go where there are too many. */
export function withNotice(items: readonly Notice[], next: Notice): Notice[] {
  const known = items.find((item) => item.key === next.key)
  if (!known) return [next, ...items].slice(0, MOST)
  return [next, ...items.filter((item) => item !== known)]
}

/** Documents of a kind that came to a state: an unread line of the last minutes counts them in. */
export function withDocuments(
  items: readonly Notice[],
  found: Pick<Notice, 'count' | 'name' | 'at' | 'to'> & { kind: string; state: string },
): Notice[] {
  const near = items.find(
    (item) =>
      item.what === 'document' &&
      item.kind === found.kind &&
      item.state === found.state &&
      !item.read &&
      Date.parse(found.at) - Date.parse(item.at) < BURST,
  )
  const key = near?.key ?? `document:${found.kind}:${found.state}:${found.at}`
  const count = (near?.count ?? 0) + found.count
  const next: Notice = {
    ...found,
    key,
    what: 'document',
    count,
    name: count === 1 ? found.name : undefined,
    read: false,
  }
  return withNotice(items, next)
}

export const allRead = (items: readonly Notice[]): Notice[] => items.map((item) => ({ ...item, read: true }))
