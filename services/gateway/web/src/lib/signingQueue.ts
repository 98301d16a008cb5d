// What waits for a signature: why each message waits, which can be taken out, and for which keys there is something to say.
import type { DeviceKey, SigningCard, WaitingMessage } from '@/api/signing'
import type { SigningDevice } from '@/api/stats'
import { troubleOf } from './keys'
import { explained, type Explained } from './signingReasons'

export type Waits = { what: 'taken' } | { what: 'queued' } | { what: 'trouble'; why: Explained }

/** What its key suffers from now decides; else what the last attempt came to; else it waits for its turn. */
export function waitsFor(item: WaitingMessage, keys: readonly DeviceKey[], cards: readonly SigningCard[]): Waits {
  if (item.taken) return { what: 'taken' }
  const key = keys.find((one) => one.id === item.key_id)
  const trouble = key && troubleOf(key, cards)
  if (trouble) return { what: 'trouble', why: trouble }
  return item.reason ? { what: 'trouble', why: explained(item.reason) } : { what: 'queued' }
}
export const canWithdraw = (item: WaitingMessage): boolean => !item.taken

/** The key that signs first, then those for which something waits; the others say nothing here. */
export const keysWithWork = (devices: readonly SigningDevice[]): SigningDevice[] =>
  devices
    .filter(({ key }) => key.active || key.messages > 0)
    .sort((a, b) => Number(b.key.active) - Number(a.key.active) || b.key.messages - a.key.messages)

/** A name for what has no number: the beginning of its id. */
export const shortId = (id: string): string => id.slice(0, 8)
