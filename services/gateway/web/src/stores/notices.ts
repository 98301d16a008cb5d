// What became of this person's work while they looked elsewhere: imports and exports that ended, batches that are through,
// documents that were refused or need somebody, signing devices that are out of reach meanwhile, mandates and keys that end
// soon. Heard live; after a gap or a reload asked of the API. The list is kept with the person's settings, one for each
// client they act for, so that nothing is only in memory.
import { defineStore } from 'pinia'
import { computed } from 'vue'
import { devices, documents, exports, imports, whenBegun, type Begun } from '@/api/calls'
import { serverNow } from '@/api/client'
import type { DeviceKey } from '@/api/signing'
import type { ActionResult, Kind, StateChange } from '@/api/types'
import type { Batch } from '@/lib/batches'
import { allRead, MOST_JOBS, NOTHING, withDocuments, withNotice, type Job, type Kept, type Notice } from '@/lib/notices'
import { daysLeft } from '@/lib/session'
import { siblingPath } from '@/pages'
import { stateDef } from '@/states'
import { useCatalogue } from './catalogue'
import { useFollowing } from './following'
import { useKinds } from './kinds'
import { usePreferences } from './preferences'
import { useSession } from './session'

const IMPORT_ENDS = ['checked', 'done', 'failed']
const EXPORT_ENDS = ['done', 'failed']
/** days before their end that a mandate and a key are told of */
const MANDATE_SOON = 14
const KEY_SOON = 30
/** documents looked at for each kind after a gap; more are told as so many */
const LOOKED_AT = 20
const MOST_FOLLOWED = 5_000
const KEYS = '/settings/keys'

export const useNotices = defineStore('notices', () => {
  const preferences = usePreferences()
  const session = useSession()
  const kinds = useKinds()
  const catalogue = useCatalogue()
  const following = useFollowing()
  /** documents that were moved from this window, and the state last heard of each: events may repeat */
  const mine = new Map<string, string>()

  const name = () => `notices.${session.info?.client?.id ?? 'own'}`
  const kept = computed<Kept>(() => ({ ...NOTHING, ...preferences.get<Partial<Kept>>(name(), {}) }))
  const items = computed(() => kept.value.items)
  const unread = computed(() => items.value.filter((item) => !item.read).length)
  const keep = (change: Partial<Kept>): void => preferences.put(name(), { ...kept.value, ...change })

  whenBegun((work: Begun) => {
    if (work.what === 'document') void sentOff(work.kind, work.results)
    else keep({ jobs: [work as Job, ...kept.value.jobs].slice(0, MOST_JOBS) })
  })
  async function sentOff(kind: string, results: readonly ActionResult[]): Promise<void> {
    const done = results.filter((result) => result.ok)
    if (mine.size > MOST_FOLLOWED) mine.clear()
    done.forEach(({ id }) => mine.set(id, ''))
    const declared = await kinds.load(kind)
    const way = done.filter(({ state }) => state && stateDef(declared, state).colour === 'blue')
    if (
      !following.begin(
        kind,
        way.map(({ id }) => id),
      ) &&
      !kept.value.kinds.includes(kind)
    )
      // prettier-ignore
      keep({ kinds: [...kept.value.kinds, kind], seen: kept.value.seen || serverNow() })
  }

  /** States in which somebody has to do something. */
  const bad = (kind: Kind, state: string) => ['red', 'amber'].includes(stateDef(kind, state).colour)
  const query = (kind: string, state: string) => `/documents/${kind}?state=${state}`

  async function states(kind: string, changes: StateChange[]): Promise<void> {
    const own = changes.filter(({ id, state }) => (mine.has(id) || following.isMine(id)) && mine.get(id) !== state)
    if (!own.length) return
    own.forEach((change) => mine.set(change.id, change.state))
    const declared = await kinds.load(kind)
    let list = items.value
    for (const change of own.filter(({ state }) => bad(declared, state)))
      list = withDocuments(list, {
        kind,
        state: change.state,
        count: 1,
        name: change.number,
        at: change.updated_at ?? serverNow(),
        to: change.number ? `/documents/${kind}/${change.id}` : query(kind, change.state),
      }).map((item, i) => (i === 0 && item.count > 1 ? { ...item, to: query(kind, change.state) } : item))
    const latest = changes.at(-1)?.updated_at ?? serverNow()
    if (list !== items.value) keep({ items: list, seen: latest })
    for (const batch of await following.take(kind, own)) through(declared, batch, own.at(-1))
  }
  /** A batch has no document under way any more: what became of it. What a single one lacks is told already. */
  function through(kind: Kind, batch: Batch, last: StateChange | undefined): void {
    const [[state] = [''], ...others] = Object.entries(batch.came)
    if (batch.total === 1 && bad(kind, state)) return
    const notice: Notice = {
      key: `batch:${kind.kind}:${batch.at}`,
      what: 'batch',
      kind: kind.kind,
      state,
      count: batch.total,
      name: batch.total === 1 ? last?.number : undefined,
      came: batch.came,
      at: serverNow(),
      read: false,
      to: batch.total === 1 && last ? `/documents/${kind.kind}/${last.id}` : others.length ? `/documents/${kind.kind}` : query(kind.kind, state), // prettier-ignore
    }
    keep({ items: withNotice(items.value, notice) })
  }
  function ended(job: Job, state: string, count: number, label?: string): void {
    const { what, kind, id } = job
    const to = what === 'import' ? siblingPath(kind, 'import', catalogue.kinds) : `/documents/${kind}`
    const notice: Notice = {
      key: `${what}:${id}`,
      what,
      kind,
      state,
      count,
      name: label,
      at: serverNow(),
      read: false,
      to,
    }
    keep({ items: withNotice(items.value, notice), jobs: kept.value.jobs.filter((one) => one.id !== id) })
  }
  const jobOf = (id: string) => kept.value.jobs.find((job) => job.id === id)
  function imported(told: { id: string; state: string; documents: number }): void {
    const job = jobOf(told.id)
    if (job && IMPORT_ENDS.includes(told.state)) ended(job, told.state, told.documents)
  }
  function exported(told: { id: string; state: string; rows?: number }): void {
    const job = jobOf(told.id)
    if (job && EXPORT_ENDS.includes(told.state)) ended(job, told.state, told.rows ?? 0)
  }
  /** What live events may have missed: the work that is still followed. */
  async function catchUp(): Promise<void> {
    for (const job of kept.value.jobs) {
      try {
        if (job.what === 'import') imported(await imports.read(job.id))
        else exported(await exports.read(job.id))
      } catch {
        // gone, or the server is away: the next gap asks again, and the oldest drop out of the list
      }
    }
    for (const kind of following.kinds()) {
      try {
        await states(kind, await following.ask(kind))
      } catch {
        // as above
      }
    }
    for (const kind of kept.value.kinds) {
      try {
        await missed(kind)
      } catch {
        // as above
      }
    }
    if (kept.value.kinds.length) keep({ seen: serverNow() })
  }
  async function missed(kind: string): Promise<void> {
    const declared = await kinds.load(kind)
    // events tell whole seconds, rows finer ones: what changed within the second last heard of is known
    const since = Math.floor(Date.parse(kept.value.seen) / 1000) * 1000 + 999
    for (const { name: state } of declared.states.filter((one) => bad(declared, one.name))) {
      const found = await documents.query(kind, { state, sort: '-stored_at', page_size: LOOKED_AT })
      const fresh = found.items.filter((row) => Date.parse(row.updated_at ?? '') > since && mine.get(row.id) !== state)
      fresh.forEach((row) => mine.has(row.id) && mine.set(row.id, state))
      const [first] = fresh
      if (!first) continue
      const to = fresh.length === 1 ? `/documents/${kind}/${first.id}` : query(kind, state)
      keep({
        items: withDocuments(items.value, {
          kind,
          state,
          count: fresh.length,
          name: first.number,
          at: first.updated_at ?? serverNow(),
          to,
        }),
      })
    }
  }
  /** What ends soon is told once, however often one comes back; what is read stays read. */
  function tell(notice: Pick<Notice, 'key' | 'what' | 'name' | 'to'>, end: string): void {
    if (items.value.some((item) => item.key === notice.key)) return
    const whole = { ...notice, count: daysLeft(end) ?? 0, at: serverNow(), read: false, state: end }
    keep({ items: withNotice(items.value, whole) })
  }
  function mandates(): void {
    for (const client of session.info?.clients ?? []) {
      const left = daysLeft(client.to)
      if (client.to && left !== null && left <= MANDATE_SOON)
        tell(
          { key: `mandate:${client.id}:${client.to}`, what: 'mandate', name: client.name, to: '/clients' },
          client.to,
        )
    }
  }
  /** Keys that end soon, and the one that signs when it is out of reach: what one has sent off waits for it. */
  async function signing(): Promise<void> {
    if (!session.may('key.read')) return
    try {
      const keys = (await devices.list()).items
      outOfReach(keys.filter((key) => key.active && key.state === 'unavailable'))
      for (const key of keys) {
        const left = daysLeft(key.not_after)
        if (key.active && left !== null && left <= KEY_SOON)
          tell({ key: `key:${key.id}:${key.not_after}`, what: 'key', name: key.label, to: KEYS }, key.not_after)
      }
    } catch {
      // the signer is away: the page of keys says so, the bell need not
    }
  }
  /** Told once for each time that a device goes; when it is back, what was told of it is no news any more. */
  function outOfReach(keys: readonly DeviceKey[]): void {
    const down = keys.map((key) => key.id)
    if (down.join() === kept.value.down.join()) return
    const back = kept.value.down.filter((id) => !down.includes(id))
    let list = items.value.map((item) =>
      item.what === 'device' && back.some((id) => item.key.startsWith(`device:${id}:`))
        ? { ...item, read: true }
        : item,
    )
    const at = serverNow()
    for (const { id, label } of keys.filter((key) => !kept.value.down.includes(key.id)))
      list = withNotice(list, { key: `device:${id}:${at}`, what: 'device', name: label, count: 1, at, read: false, to: KEYS }) // prettier-ignore
    keep({ items: list, down })
  }
  function start(): Promise<unknown> {
    mandates()
    return Promise.all([catchUp(), signing()])
  }
  /** Whether something of this person's waits for a signature or an answer: then a device that goes is news. */
  const waiting = computed(() => following.batches.length > 0)
  function read(key: string): void {
    keep({ items: items.value.map((item) => (item.key === key ? { ...item, read: true } : item)) })
  }
  const readAll = (): void => keep({ items: allRead(items.value) })

  return { items, unread, waiting, start, signing, states, imported, exported, catchUp, read, readAll }
})
