// How the state of a signing key is told: which one signs, which could, which cannot and why; and when its certificate ends.
import type { DeviceKey, SigningCard } from '@/api/signing'
import type { SigningDevice } from '@/api/stats'
import type { StateColour } from '@/api/types'
import { explained, type Explained } from './signingReasons'

export type KeyState = 'active' | 'usable' | 'unconfirmed' | 'expired' | 'unavailable'

export const isCard = (key: DeviceKey): boolean => key.device_kind === 'card'
/** A card signs only after it answered a person's challenge. */
const isUnconfirmed = (key: DeviceKey): boolean => isCard(key) && !key.confirmed_at
export function keyState(key: DeviceKey): KeyState {
  if (key.state !== 'usable') return key.state
  return key.active ? 'active' : isUnconfirmed(key) ? 'unconfirmed' : 'usable'
}
/** Why a key cannot be made the one that signs; null = it can. */
export function notActivatable(key: DeviceKey): Exclude<KeyState, 'usable'> | null {
  if (key.state === 'expired' || key.active) return key.state === 'expired' ? 'expired' : 'active'
  if (isUnconfirmed(key)) return 'unconfirmed'
  return key.state === 'unavailable' ? 'unavailable' : null
}
export const KEY_COLOURS: Record<KeyState, StateColour> = {
  active: 'green',
  usable: 'grey',
  unconfirmed: 'amber',
  expired: 'red',
  unavailable: 'amber',
}

export interface Validity {
  colour: 'amber' | 'red'
  /** of keys.validity */
  word: 'over' | 'today' | 'soon'
  days: number
}
/** What to say of a certificate that ends within 60 days: amber, red in its last week and when it is over. */
export function validityOf({ state, warning, expires_in_days: days }: DeviceKey): Validity | null {
  if (state === 'expired' || days < 0) return { colour: 'red', word: 'over', days }
  if (!warning) return null
  return { colour: warning === 7 ? 'red' : 'amber', word: days === 0 ? 'today' : 'soon', days }
}

/** Why a key does not sign. A card's state says it better than what its library told. */
export function troubleOf(key: DeviceKey, cards: readonly SigningCard[]): Explained | null {
  if (key.state === 'expired') return explained('key-expired')
  if (key.state === 'usable') return null
  const card = cards.find((one) => one.fingerprint === key.fingerprint)
  return card && card.state !== 'ready' ? troubleOfCard(card) : explained(key.reason)
}
/** Why no end can be told, where nothing else on the page says so already. */
export const untold = ({ key, reason }: SigningDevice, cards: readonly SigningCard[]): string =>
  reason && !SAID.includes(reason.code) && !troubleOf(key, cards) ? reason.text : ''
/** The key's state and the number that waits say these. */
const SAID = ['inactive', 'idle', 'expired', 'unavailable']
export function troubleOfCard(card: SigningCard): Explained | null {
  if (card.state === 'ready') return null
  return card.reason === 'agent-offline' ? explained(card.reason) : explained(card.state, card.reason)
}
