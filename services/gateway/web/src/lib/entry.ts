// Who may enter documents of a kind: what an enterprise is (guide 003) decides what it may file. The server decides;
// this only keeps people from filling in what will be refused.
import type { Kind } from '@/api/types'

export type NoEntry = 'received' | 'permission' | 'sender' | null

/** Why documents of this kind cannot be entered here, or null. `own` = kinds of the enterprise one files for. */
export function noEntry(kind: Pick<Kind, 'received' | 'senders'>, own: readonly string[], may: boolean): NoEntry {
  if (kind.received) return 'received'
  if (!may) return 'permission'
  const senders = kind.senders ?? []
  // an enterprise whose kinds nobody recorded is not kept from anything here
  if (!senders.length || !own.length) return null
  return senders.some((sender) => own.includes(sender)) ? null : 'sender'
}
