// What the signing ledger records, and in which colour it is told.
import type { StateColour } from '@/api/types'

export const LEDGER_COLOURS: Record<string, StateColour> = {
  intent: 'grey',
  signed: 'green',
  refused: 'red',
  withdrawn: 'amber',
  activated: 'blue',
  confirmed: 'blue',
  bound: 'blue',
}
