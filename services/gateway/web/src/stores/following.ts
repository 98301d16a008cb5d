// The documents this person sent off and waits for, by batch; kept with the person's settings, so that after a reload it is
// these that are asked for and not everybody's.
import { defineStore } from 'pinia'
import { computed } from 'vue'
import { documents } from '@/api/calls'
import { serverNow } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import type { Kind, StateChange, StateColour } from '@/api/types'
import { arrived, begun, dropped, MOST_OPEN, openOf, type Batch } from '@/lib/batches'
import { stateDef } from '@/states'
import { useKinds } from './kinds'
import { usePreferences } from './preferences'
import { useSession } from './session'

/** documents read one by one after a gap; of more, the list of what is under way says first which have ended */
const READ_AT_ONCE = 40
const PAGE = 200
/** nothing more is under way: it is done, or somebody here has to do something */
const ENDS: readonly StateColour[] = ['green', 'amber', 'red']

export const useFollowing = defineStore('following', () => {
  const preferences = usePreferences()
  const session = useSession()
  const kinds = useKinds()
  const name = () => `following.${session.info?.client?.id ?? 'own'}`
  const batches = computed(() => preferences.get<Batch[]>(name(), []))
  const keep = (next: Batch[]): void => (next.length ? preferences.put(name(), next) : preferences.remove(name()))

  const isEnd = (kind: Kind, state: string) => {
    const { colour, settled } = stateDef(kind, state)
    return settled || ENDS.includes(colour)
  }

  /** False where there are too many to be remembered. */
  function begin(kind: string, ids: readonly string[]): boolean {
    if (openOf(batches.value).length + ids.length > MOST_OPEN) return false
    if (ids.length) keep(begun(batches.value, kind, ids, serverNow()))
    return true
  }
  /** Takes in where documents have come to; answers the batches that are over with it. */
  async function take(kind: string, found: readonly { id: string; state: string }[]): Promise<Batch[]> {
    const open = new Set(openOf(batches.value, kind))
    const own = found.filter(({ id }) => open.has(id))
    if (!own.length) return []
    const declared = await kinds.load(kind)
    const ends = new Map(own.filter(({ state }) => isEnd(declared, state)).map(({ id, state }) => [id, state]))
    if (!ends.size) return []
    const next = arrived(batches.value, kind, ends)
    keep(next.batches)
    return next.over
  }
  /** What documents under way have come to meanwhile, as far as a few questions tell. */
  async function ask(kind: string): Promise<StateChange[]> {
    const declared = await kinds.load(kind)
    const found: StateChange[] = []
    for (const id of await ended(declared, openOf(batches.value, kind))) {
      try {
        found.push(await documents.read(kind, id))
      } catch (error) {
        if (!(error instanceof ApiProblem && error.status === 404)) throw error
        keep(dropped(batches.value, [id])) // deleted: nobody waits for it
      }
    }
    return found
  }
  async function ended(kind: Kind, open: string[]): Promise<string[]> {
    if (open.length <= READ_AT_ONCE) return open
    const way = kind.states.filter((one) => !isEnd(kind, one.name)).map((one) => one.name)
    const { items, next_cursor } = await documents.query(kind.kind, { state: way.join(','), page_size: PAGE })
    if (next_cursor) return [] // too much is under way to tell: what comes now is heard live
    const still = new Set(items.map((row) => row.id))
    return open.filter((id) => !still.has(id)).slice(0, READ_AT_ONCE)
  }
  const kindsOf = () => [...new Set(batches.value.map((batch) => batch.kind))]
  const isMine = (id: string) => batches.value.some((batch) => batch.open.includes(id))
  return { batches, begin, take, ask, kinds: kindsOf, isMine }
})
