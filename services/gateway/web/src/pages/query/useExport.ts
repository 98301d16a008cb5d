// Taking what a query finds out of the system: a workbook at once, a large one in the background, or a printed table.
import { onBeforeUnmount, ref, shallowRef } from 'vue'
import { documents, exports } from '@/api/calls'
import type { Query } from '@/api/client'
import { ApiProblem, lasting } from '@/api/problem'
import type { ExportJob } from '@/api/types'
import { follow, MOST_DIRECT } from '@/lib/exportJob'
import { useProblem } from '@/lib/useProblem'

/** chosen: the columns of the page in their order; all: every column, and the lines */
export type Extent = 'chosen' | 'all'

export function useExport(kind: string, question: () => Query, columns: () => string[]) {
  const { tell } = useProblem()
  const busy = ref<'' | 'export' | 'print'>('')
  const job = shallowRef<ExportJob | null>(null)
  const failure = shallowRef<unknown>(null)
  let watching: AbortController | null = null

  const withColumns = (): Query => ({ ...question(), columns: columns().join(',') })

  async function run(total: number | null, extent: Extent = 'chosen'): Promise<void> {
    busy.value = 'export'
    const asked = extent === 'chosen' ? withColumns() : question()
    try {
      if ((total ?? 0) <= MOST_DIRECT) {
        try {
          return await documents.exportNow(kind, asked)
        } catch (error) {
          // more rows than the estimate said: the same query goes the other way, and tells if it is wrong itself
          if (!(error instanceof ApiProblem) || error.status !== 422) throw error
        }
      }
      await inBackground(asked)
    } catch (error) {
      tell(error)
    } finally {
      busy.value = ''
    }
  }
  async function inBackground(asked: Query): Promise<void> {
    const started = await documents.exportLater(kind, asked)
    job.value = { ...started, state: started.state ?? 'waiting', rows: started.rows ?? 0, done: started.done ?? 0 }
    failure.value = null
    void watch(started.id)
  }
  async function watch(id: string): Promise<void> {
    watching?.abort()
    const mine = (watching = new AbortController())
    try {
      await follow({
        read: () => exports.read(id),
        show: (next) => {
          job.value = next
        },
        lasting,
        signal: mine.signal,
      })
    } catch (error) {
      if (!mine.signal.aborted) failure.value = error
    }
  }
  const again = () => job.value && void watch(job.value.id)
  async function save(): Promise<void> {
    const done = job.value
    if (!done) return
    try {
      await exports.file(done.id, done.file_name || `${kind}.xlsx`)
    } catch (error) {
      tell(error)
    }
  }
  /** The window goes; a job that nobody wants any more is given up. */
  function close(): void {
    watching?.abort()
    const left = job.value
    job.value = null
    failure.value = null
    if (left && left.state !== 'done') exports.discard(left.id).catch(tell)
  }
  async function print(): Promise<void> {
    busy.value = 'print'
    try {
      await documents.printTable(kind, withColumns())
    } catch (error) {
      tell(error)
    } finally {
      busy.value = ''
    }
  }
  onBeforeUnmount(() => watching?.abort())
  return { busy, job, failure, run, again, save, close, print }
}
