// The five colours of state, once for every page. Colour never stands alone: a word and a mark go with it.
import type { Kind, StateColour, StateDef } from '@/api/types'

export const STATE_COLOURS: readonly StateColour[] = ['grey', 'blue', 'amber', 'green', 'red']

/** The mark beside the word (a path in a 10 × 10 box), so that a print or a colour-blind eye tells the five apart. */
export const STATE_MARKS: Record<StateColour, string> = {
  grey: 'M5 1.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  blue: 'M1 5h7M5.2 1.8 8.4 5 5.2 8.2',
  amber: 'M5 1.2 9 8.6H1zM5 4v2.2M5 7.2v.4',
  green: 'M1.4 5.4 4 8l4.6-5.6',
  red: 'M2 2l6 6M8 2 2 8',
}

export function stateDef(kind: Kind | undefined, name: string): StateDef {
  return (
    kind?.states.find((s) => s.name === name) ?? { name, label: { zh: name, en: name }, colour: 'grey', settled: false }
  )
}
