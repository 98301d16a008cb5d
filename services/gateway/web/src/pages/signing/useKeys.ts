// The enterprise's keys with what waits for each and how fast it signs, the cards behind them, and at which agent each is.
// Asked again every few seconds while the page can be seen: nothing tells these live.
import { computed } from 'vue'
import { devices, edgeAgents, stats } from '@/api/calls'
import type { SigningCard } from '@/api/signing'
import type { SigningDevice } from '@/api/stats'
import { usePart } from '@/lib/usePart'
import { usePoll } from '@/lib/usePoll'
import { useSession } from '@/stores/session'

/** How fast a key signs is measured over hours: asked for at every third look only. */
const RATES_EVERY = 3

export function useKeys(more: () => Promise<unknown> = () => Promise.resolve()) {
  const session = useSession()
  const keys = usePart(async () => (await devices.list()).items)
  const cards = usePart(async () => (await devices.cards()).items)
  const rates = usePart(async () => new Map((await stats.devices()).items.map((item) => [item.key.id, item])))
  const agents = usePart(async () => (session.may('agent.read') ? (await edgeAgents.list()).items : []))
  let looks = 0

  const load = (quietly = false): Promise<unknown> =>
    Promise.all([keys.load(quietly), cards.load(quietly), rates.load(quietly), agents.load(quietly)])
  usePoll(() => {
    const slow = ++looks % RATES_EVERY ? [] : [rates.load(true), agents.load(true)]
    return Promise.all([keys.load(true), cards.load(true), ...slow, more()])
  })
  const names = computed(() => new Map((agents.data.value ?? []).map((agent) => [agent.id, agent.name])))
  /** '' where one may not see the agents */
  const agentName = (id: string | null): string => names.value.get(id ?? '') ?? ''
  const shownCards = computed<SigningCard[]>(() => cards.data.value ?? [])
  /** Keys with their newest counts; what is measured, as far as it is known. */
  const signing = computed<SigningDevice[]>(() =>
    (keys.data.value ?? []).map((key) => ({
      messages: key.messages,
      taken: 0,
      rate: null,
      ends_at: null,
      reason: null,
      ...rates.data.value?.get(key.id),
      key,
    })),
  )
  return { keys, cards, rates, agents, shownCards, signing, agentName, load }
}
