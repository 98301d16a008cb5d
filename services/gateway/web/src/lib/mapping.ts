// From a proposal and a person's choices to a column mapping that can be saved.
import type { Mapping, MappingProposal } from '@/api/types'

/** place chosen for each column of the workbook, "" = not used */
export type Choices = string[]

/** What the proposal says, each place at most once. */
export function choicesOf(proposal: MappingProposal): Choices {
  const taken = new Set<string>()
  return proposal.columns.map(({ field }) => {
    if (!field || taken.has(field)) return ''
    taken.add(field)
    return field
  })
}

/** A choice takes its place away from the column that had it: no field is filled from two columns. */
export function choose(choices: Choices, column: number, place: string): Choices {
  return choices.map((now, at) => (at === column ? place : place && now === place ? '' : now))
}

/** Required fields that nothing fills yet. */
export const stillMissing = (
  required: readonly string[],
  choices: Choices,
  constants: Record<string, string>,
): string[] => required.filter((place) => !choices.includes(place) && !constants[place]?.trim())

export function mappingOf(
  kind: string,
  name: string,
  proposal: MappingProposal,
  choices: Choices,
  constants: Record<string, string>,
): Omit<Mapping, 'id'> {
  const columns: Record<string, string> = {}
  proposal.columns.forEach((column, at) => {
    const place = choices[at]
    if (place) columns[place] = column.header
  })
  const filled = Object.entries(constants)
    .map(([place, value]) => [place, value.trim()] as const)
    .filter(([place, value]) => value && !(place in columns))
  return { kind, name: name.trim(), columns, constants: Object.fromEntries(filled) }
}
