// 确认: a key signs a challenge. One of the pool answers at once; a card's holder is asked at the computer, and how far that is
// is followed to its end also while the window is closed: the effect comes with the look at the answer.
import { onBeforeUnmount, ref, shallowRef } from 'vue'
import { devices } from '@/api/calls'
import { lasting } from '@/api/problem'
import type { Challenge, DeviceKey } from '@/api/signing'
import { followUntil } from '@/lib/follow'
import { isCard } from '@/lib/keys'
import { explained } from '@/lib/signingReasons'
import { useProblem } from '@/lib/useProblem'
import { t } from '@/locales'

export interface Asked {
  key: DeviceKey
  challenge: Challenge
}
const isOver = ({ state }: Challenge) => state === 'used' || state === 'refused'

export function useChallenge(done: () => unknown) {
  const { tell } = useProblem()
  const busy = ref('')
  const asked = shallowRef<Asked | null>(null)
  const open = ref(false)
  let watching: AbortController | null = null
  onBeforeUnmount(() => watching?.abort())

  async function ask(key: DeviceKey): Promise<void> {
    busy.value = key.id
    try {
      const challenge = await devices.confirm(key.id)
      if (isCard(key)) {
        asked.value = { key, challenge }
        open.value = true
        void watch(key, challenge)
      } else {
        ElMessage({ type: 'success', message: t('signing.confirmed', { name: key.label }) })
        await done()
      }
    } catch (error) {
      tell(error)
    } finally {
      busy.value = ''
    }
  }
  async function watch(key: DeviceKey, { id }: Challenge): Promise<void> {
    watching?.abort()
    const mine = (watching = new AbortController())
    try {
      const ended = await followUntil({
        read: () => devices.challenge(id),
        show: (challenge) => (asked.value = { key, challenge }),
        over: isOver,
        lasting,
        signal: mine.signal,
      })
      if (!ended) return
      await done()
      if (open.value) return
      const why = t(`signing.reasons.${explained(ended.reason).code}`)
      ElMessage(
        ended.state === 'used'
          ? { type: 'success', message: t('signing.confirmed', { name: key.label }) }
          : { type: 'warning', message: `${key.label}：${t('signing.challenge.failed', { why })}` },
      )
    } catch (error) {
      tell(error)
    }
  }
  return { busy, asked, open, ask }
}
