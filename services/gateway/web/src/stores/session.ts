// Who is signed in, for which enterprise and, for a broker, for which client. The server decides; this only remembers.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { session as calls } from '@/api/calls'
import { setCsrfToken, whenSignedOut } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import type { SessionInfo } from '@/api/types'
import { cleanDrafts } from '@/lib/drafts'
import { normaliseSession } from '@/lib/session'
import { usePreferences } from './preferences'

export const useSession = defineStore('session', () => {
  const info = ref<SessionInfo | null>(null)
  /** why the sign-in page is shown: the session ended under a page, or the user left */
  const left = ref<'ended' | 'signedOut' | null>(null)

  const signedIn = computed(() => info.value !== null)
  const isBroker = computed(
    () => !!info.value && (info.value.roles.includes('broker') || info.value.clients.length > 0),
  )
  const mustChooseClient = computed(() => isBroker.value && !info.value?.client)

  function take(raw: Record<string, unknown>): void {
    info.value = normaliseSession(raw)
    setCsrfToken(info.value.csrf_token)
    // what another person typed here is not kept for the next one
    cleanDrafts(info.value.user.id)
    left.value = null
  }
  function forget(why: 'ended' | 'signedOut' | null): void {
    info.value = null
    usePreferences().forget()
    setCsrfToken('')
    left.value = why
  }
  whenSignedOut(() => {
    if (info.value) forget('ended')
  })

  /** Asks the server who we are; a missing session is an answer, anything else is a problem for the page. */
  async function restore(): Promise<void> {
    try {
      const [raw] = await Promise.all([calls.read(), usePreferences().load()])
      take(raw)
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return forget(null)
      throw error
    }
  }
  /** After a hint that the session may be gone: a missing one leads to the sign-in page, nothing else is disturbed. */
  async function check(): Promise<void> {
    try {
      take(await calls.read())
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401 && info.value) forget('ended')
    }
  }
  // Windows of one browser share one session: when it changes in one, the others must not go on for the former client.
  const others = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('tongguan.session')
  if (others) others.onmessage = () => void check()
  const tellOthers = () => others?.postMessage('changed')

  async function signIn(username: string, password: string): Promise<void> {
    const raw = await calls.signIn(username, password)
    // with the CSRF token already: what was chosen before signing in is kept right away
    setCsrfToken(normaliseSession(raw).csrf_token)
    await usePreferences().load()
    take(raw)
    tellOthers()
  }
  async function signOut(): Promise<void> {
    await usePreferences().flush()
    await calls.signOut()
    forget('signedOut')
    tellOthers()
  }
  async function enterClient(clientId: string | null): Promise<void> {
    take(await calls.client(clientId))
    tellOthers()
  }
  const may = (permission: string | null | undefined): boolean =>
    !permission || !!info.value?.permissions.includes(permission)

  return { info, left, signedIn, isBroker, mustChooseClient, restore, check, signIn, signOut, enterClient, may }
})
