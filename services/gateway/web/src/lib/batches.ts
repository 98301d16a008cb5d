// Documents that one sent off together and waits for: how many have come to an end, and which. Pure; kept by
// stores/following.ts.
export interface Batch {
  kind: string
  /** when it was sent off */
  at: string
  total: number
  /** documents still under way */
  open: string[]
  /** how many came to which end */
  came: Record<string, number>
}

/** documents still under way that fit into one preference */
export const MOST_OPEN = 300
export const openOf = (batches: readonly Batch[], kind?: string): string[] =>
  batches.flatMap((batch) => (!kind || batch.kind === kind ? batch.open : []))

/** With one more; what is sent off again belongs to the new batch alone. */
export function begun(batches: readonly Batch[], kind: string, ids: readonly string[], at: string): Batch[] {
  const before = dropped(batches, ids)
  return [...before, { kind, at, total: ids.length, open: [...ids], came: {} }]
}
/** Without documents that are not waited for any more; a batch of which nothing is left is none. */
export function dropped(batches: readonly Batch[], ids: readonly string[]): Batch[] {
  const gone = new Set(ids)
  return batches
    .map((batch) => {
      const open = batch.open.filter((id) => !gone.has(id))
      return { ...batch, open, total: batch.total - (batch.open.length - open.length) }
    })
    .filter((batch) => batch.open.length)
}
/** After documents came to an end; `over`: batches that have no document under way any more. */
export function arrived(
  batches: readonly Batch[],
  kind: string,
  ends: ReadonlyMap<string, string>,
): { batches: Batch[]; over: Batch[] } {
  const next = batches.map((batch) => {
    if (batch.kind !== kind) return batch
    const came = { ...batch.came }
    const open = batch.open.filter((id) => {
      const state = ends.get(id)
      if (state !== undefined) came[state] = (came[state] ?? 0) + 1
      return state === undefined
    })
    return open.length === batch.open.length ? batch : { ...batch, open, came }
  })
  return { batches: next.filter((batch) => batch.open.length), over: next.filter((batch) => !batch.open.length) }
}
