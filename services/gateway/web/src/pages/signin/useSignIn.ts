// Signing in: what was typed, what went wrong in words (wrong, locked for how long, server down), the wait of a lock.
// Used by the sign-in page and by the dialog over pages whose session has ended.
import { computed, nextTick, onBeforeUnmount, ref, useTemplateRef } from 'vue'
import { ApiProblem, problemWords } from '@/api/problem'
import { useSession } from '@/stores/session'
import { t } from '@/locales'

export function useSignIn(done: () => unknown) {
  const session = useSession()
  const username = ref('')
  const password = ref('')
  const busy = ref(false)
  const missing = ref<'username' | 'password' | null>(null)
  const failure = ref<unknown>(null)
  const lockedFor = ref(0)
  // ref="userBox" and ref="passBox" in the template that uses this
  const userBox = useTemplateRef<HTMLInputElement>('userBox')
  const passBox = useTemplateRef<HTMLInputElement>('passBox')
  let tick: ReturnType<typeof setInterval> | undefined

  const clock = computed(() => `${Math.floor(lockedFor.value / 60)}:${String(lockedFor.value % 60).padStart(2, '0')}`)
  const words = computed(() => {
    const problem = failure.value
    if (!problem) return null
    const status = problem instanceof ApiProblem ? problem.status : -1
    if (status === 401)
      return {
        kind: 'wrong',
        headline: (problem as ApiProblem).detail || t('signin.wrong'),
        hint: t('signin.wrongHint'),
        trace: '',
      }
    if (status === 429)
      return {
        kind: 'locked',
        headline: (problem as ApiProblem).detail || t('signin.locked'),
        hint: lockedFor.value ? t('signin.lockedFor', { time: clock.value }) : t('signin.unlocked'),
        trace: '',
      }
    if (status === 0 || status === 502 || status === 503 || status === 504)
      return { kind: 'down', headline: t('signin.down'), hint: t('signin.downHint'), trace: '' }
    return { kind: 'other', ...problemWords(problem, t) }
  })

  function countDown(seconds: number): void {
    clearInterval(tick)
    lockedFor.value = seconds
    tick = setInterval(() => {
      lockedFor.value = Math.max(0, lockedFor.value - 1)
      if (!lockedFor.value) clearInterval(tick)
    }, 1000)
  }
  async function submit(): Promise<void> {
    failure.value = null
    missing.value = !username.value.trim() ? 'username' : !password.value ? 'password' : null
    if (missing.value) return void (missing.value === 'username' ? userBox : passBox).value?.focus()
    busy.value = true
    try {
      await session.signIn(username.value.trim(), password.value)
      await done()
    } catch (error) {
      failure.value = error
      if (error instanceof ApiProblem && error.status === 429) countDown(error.retryAfter ?? 60)
      if (error instanceof ApiProblem && error.status === 401) {
        password.value = ''
        await nextTick()
        passBox.value?.focus()
      }
    } finally {
      busy.value = false
    }
  }
  onBeforeUnmount(() => clearInterval(tick))
  const forget = (): void => {
    password.value = ''
    failure.value = null
  }
  return { username, password, busy, missing, words, lockedFor, userBox, passBox, submit, forget }
}
