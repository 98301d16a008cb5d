// Answers of the server about a body, brought to the fields they speak of.
import type { Field, Kind, ProblemField } from '@/api/types'
import { placeKey, placeOf, type Place } from './pointer'

export interface FormError {
  /** of the field on the page; "" where the error is of the whole document */
  key: string
  place: Place | null
  message: string
  field?: Field
}

/**
 * Each problem with its place on the page. `places` says which line of the form each sent line was: empty ones are not
 * sent, so the numbers may differ.
 */
export function placeErrors(kind: Kind, fields: readonly ProblemField[], places: readonly number[]): FormError[] {
  return fields.map((problem) => {
    const found = placeOf(problem.pointer)
    const place =
      found && found.level === 'lines' ? { ...found, index: places[found.index ?? 0] ?? found.index } : found
    const declared = place && (place.level === 'head' ? kind.head : kind.lines)
    const field = declared?.find((one) => one.name === place?.field)
    // what stands nowhere on the page is told in the list alone
    const onPage = place && (field || place.field === '')
    return { key: onPage ? placeKey(place) : '', place: onPage ? place : null, message: problem.message, field }
  })
}

export function byKey(errors: readonly FormError[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const error of errors) if (error.key) found.set(error.key, [...(found.get(error.key) ?? []), error.message])
  return found
}

/** Line numbers of errors after a line was taken away or put in: what spoke of that line is gone with it. */
export function shiftErrors(errors: readonly FormError[], at: number, by: 1 | -1): FormError[] {
  return errors.flatMap((error) => {
    const { place } = error
    if (place?.level !== 'lines' || place.index === null || place.index < at) return [error]
    if (by === -1 && place.index === at) return []
    const moved = { ...place, index: place.index + by }
    return [{ ...error, place: moved, key: placeKey(moved) }]
  })
}

/** The same for keys of fields ("lines/3/qty"), where only the keys are known. */
export function shiftKeys(keys: Set<string>, at: number, by: 1 | -1): void {
  const moving = [...keys].flatMap((key) => {
    const [level, index, name] = key.split('/')
    return level === 'lines' && Number(index) >= at ? [{ key, index: Number(index), name }] : []
  })
  moving.forEach(({ key }) => keys.delete(key))
  for (const { index, name } of moving) if (by === 1 || index !== at) keys.add(`lines/${index + by}/${name}`)
}

export const errorsOfLine = (errors: readonly FormError[], at: number): FormError[] =>
  errors.filter(({ place }) => place?.level === 'lines' && place.index === at)
/** Names of the fields of one line among keys ("lines/3/qty"). */
export const namesOfLine = (keys: ReadonlySet<string>, at: number): string[] =>
  [...keys].flatMap((key) => (key.startsWith(`lines/${at}/`) ? [key.slice(`lines/${at}/`.length)] : []))
/** Errors of one line where that line stands now. */
export const atLine = (errors: readonly FormError[], at: number): FormError[] =>
  errors.map((error) => {
    const place = error.place && { ...error.place, index: at }
    return { ...error, place, key: place ? placeKey(place) : error.key }
  })
