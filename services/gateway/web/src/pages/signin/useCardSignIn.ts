// Signing in by card: the card at one's edge agent is asked, a code of four digits stands here and there, and this waits.
import { computed, onBeforeUnmount, ref } from 'vue'
import { session as calls } from '@/api/calls'
import { ApiProblem, problemWords } from '@/api/problem'
import { useSession } from '@/stores/session'
import { t } from '@/locales'

/** milliseconds between looks at whether the card has signed */
const EVERY = 2000

export function useCardSignIn(done: () => unknown) {
  const session = useSession()
  /** what the agent shows, too; empty while nothing is asked */
  const code = ref('')
  const left = ref(0)
  const busy = ref(false)
  const failure = ref<unknown>(null)
  let ends = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const time = computed(() => `${Math.floor(left.value / 60)}:${String(left.value % 60).padStart(2, '0')}`)
  const words = computed(() => {
    const problem = failure.value
    if (!problem) return null
    if (problem instanceof ApiProblem && problem.status === 401)
      return { headline: t('signin.card.over'), hint: t('signin.card.overHint') }
    return problemWords(problem, t)
  })

  async function ask(username: string): Promise<void> {
    failure.value = null
    busy.value = true
    try {
      const asked = await calls.askCard(username)
      code.value = asked.code
      // by the length of the wait: this computer's clock need not be right
      ends = performance.now() + 180_000
      look()
    } catch (error) {
      failure.value = error
    } finally {
      busy.value = false
    }
  }
  function look(): void {
    left.value = Math.max(0, Math.ceil((ends - performance.now()) / 1000))
    timer = setTimeout(() => void again(), EVERY)
  }
  async function again(): Promise<void> {
    try {
      if (await session.signInByCard()) return void (await done())
      if (code.value) look()
    } catch (error) {
      // a moment without the server is not the end; an answer that nothing waits any more is
      if (error instanceof ApiProblem && error.status !== 401 && left.value > 0) return look()
      stop()
      failure.value = error
    }
  }
  function stop(): void {
    clearTimeout(timer)
    code.value = ''
    failure.value = null
  }
  onBeforeUnmount(() => clearTimeout(timer))
  return { code, time, busy, words, ask, stop }
}
