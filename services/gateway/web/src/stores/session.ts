// Who is signed in, for which enterprise and, for a broker, for which client. The server decides; this only remembers.
// A session that ends under the pages leaves them standing: whoever signs in again goes on with what was typed.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { session as calls } from '@/api/calls'
import { serverAhead, setCsrfToken, whenSignedOut } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import type { SessionInfo } from '@/api/types'
import { startAfresh } from '@/lib/afresh'
import { cleanDrafts } from '@/lib/drafts'
import { normaliseSession } from '@/lib/session'
import { usePreferences } from './preferences'
import { useTabs } from './tabs'
import { useVigil } from './vigil'

type Raw = Record<string, unknown>
type Word = 'changed' | 'signedOut' | { touchedUntil: number }

export const useSession = defineStore('session', () => {
  const info = ref<SessionInfo | null>(null)
  /** why the sign-in page is shown: the session ended under a page, or the user left */
  const left = ref<'ended' | 'signedOut' | null>(null)
  /** why the sign-in dialog stands over the pages */
  const gone = ref<'soon' | 'idle' | 'absolute' | 'elsewhere' | null>(null)
  const vigil = useVigil()
  /** calls that found the session gone, waiting for somebody to sign in again */
  const held = new Set<(again: boolean) => void>()

  const signedIn = computed(() => info.value !== null)
  const isBroker = computed(
    () => !!info.value && (info.value.roles.includes('broker') || info.value.clients.length > 0),
  )
  const mustChooseClient = computed(() => isBroker.value && !info.value?.client)

  function take(raw: Raw): void {
    const next = normaliseSession(raw)
    // somebody else has signed in, here or in another window: nothing of these pages is theirs
    if (info.value && info.value.user.id !== next.user.id) return startAfresh()
    info.value = next
    setCsrfToken(next.csrf_token)
    // what another person typed here is not kept for the next one
    cleanDrafts(next.user.id)
    left.value = null
    gone.value = null
    vigil.start({ ask, tell: (touchedUntil) => others?.postMessage({ touchedUntil }) })
    vigil.learn(next.life, serverAhead())
    release(true)
  }
  function forget(why: 'ended' | 'signedOut' | null): void {
    info.value = null
    gone.value = null
    vigil.stop()
    usePreferences().forget()
    useTabs().unsaved.clear()
    setCsrfToken('')
    left.value = why
    release(false)
  }
  function release(again: boolean): void {
    const waiting = [...held]
    held.clear()
    waiting.forEach((resolve) => resolve(again))
  }
  /** The session is no more. The pages stay, under a dialog. */
  function lose(): void {
    if (!info.value || (gone.value && gone.value !== 'soon')) return
    gone.value = vigil.reason()
    vigil.stop()
  }
  /** Sign in again while the session still goes on, before its latest end: the pages stay all the same. */
  function renew(): void {
    vigil.later()
    if (info.value && !gone.value) gone.value = 'soon'
  }
  function putOff(): void {
    if (gone.value === 'soon') gone.value = null
  }
  whenSignedOut(() => {
    if (!info.value) return Promise.resolve(false)
    lose()
    return new Promise<boolean>((resolve) => held.add(resolve))
  })
  const isMissing = (error: unknown) => error instanceof ApiProblem && error.status === 401

  /** Asks the server who we are; a missing session is an answer, anything else is a problem for the page. */
  async function restore(): Promise<void> {
    try {
      const [raw] = await Promise.all([calls.read(), usePreferences().load()])
      take(raw)
    } catch (error) {
      if (isMissing(error)) return forget(null)
      throw error
    }
  }
  async function ask(asPerson: boolean): Promise<void> {
    try {
      take(await (asPerson ? calls.read() : calls.look()))
    } catch (error) {
      if (!isMissing(error)) throw error
      lose()
    }
  }
  /** After a hint that the session may be gone; nothing else is disturbed. */
  async function check(): Promise<void> {
    try {
      await ask(false)
    } catch {
      // the server is away: whoever needs it is told at the next call
    }
  }
  // Windows of one browser share one session: when it changes in one, the others must not go on for the former client.
  const others = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('tongguan.session')
  if (others)
    others.onmessage = ({ data: word }: MessageEvent<Word>) => {
      if (typeof word === 'object') vigil.touched(word.touchedUntil, false)
      // who leaves on purpose leaves everywhere, but never at the cost of what is typed in another window
      else if (word === 'signedOut' && info.value && !useTabs().unsaved.size) forget('ended')
      else void check()
    }
  const tellOthers = (word: Word) => others?.postMessage(word)

  async function signIn(username: string, password: string): Promise<void> {
    await enter(await calls.signIn(username, password))
  }
  /** True once the card that was asked has signed. */
  async function signInByCard(): Promise<boolean> {
    const raw = await calls.byCard()
    if (raw.state === 'waiting') return false
    await enter(raw)
    return true
  }
  async function enter(answer: Raw): Promise<void> {
    const before = info.value
    let raw = answer
    const next = normaliseSession(raw)
    // with the CSRF token already: what was chosen before signing in is kept right away
    setCsrfToken(next.csrf_token)
    if (before && before.user.id === next.user.id) raw = (await backInto(before)) ?? raw
    else await usePreferences().load()
    take(raw)
    tellOthers('changed')
  }
  /** Somebody who acted for a client goes on there, if the client still allows it. */
  async function backInto(before: SessionInfo): Promise<Raw | null> {
    if (!before.client) return null
    try {
      return await calls.client(before.client.id)
    } catch {
      return null // its mandate has ended: the pages follow who one is now
    }
  }
  async function signOut(): Promise<void> {
    await usePreferences().flush()
    await calls.signOut()
    forget('signedOut')
    tellOthers('signedOut')
  }
  async function enterClient(clientId: string | null): Promise<void> {
    try {
      take(await calls.client(clientId))
    } catch (error) {
      if (isMissing(error)) lose()
      throw error
    }
    tellOthers('changed')
  }
  /** From the dialog to the sign-in page: the pages and what was typed in them are given up. */
  const leave = () => forget('ended')
  const may = (permission: string | null | undefined): boolean =>
    !permission || !!info.value?.permissions.includes(permission)

  return {
    info,
    left,
    gone,
    signedIn,
    isBroker,
    mustChooseClient,
    restore,
    check,
    signIn,
    signInByCard,
    signOut,
    leave,
    renew,
    putOff,
    enterClient,
    may,
  }
})
