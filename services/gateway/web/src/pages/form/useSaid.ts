// What was said of the lines of a form moves along with them; of a line that was taken away it is set aside, in case the line
// comes back. A new answer of the server is about other lines: nothing from before it comes back.
import type { ShallowRef } from 'vue'
import type { Line } from '@/lib/form'
import { atLine, errorsOfLine, namesOfLine, shiftErrors, shiftKeys, type FormError } from '@/lib/formErrors'

interface Said {
  errors: FormError[][]
  names: string[][]
}

/** lists: errors and the like, with places; sets: keys of fields ("lines/3/qty"). rank: the order of the page. */
export function useSaid(
  lists: readonly ShallowRef<FormError[]>[],
  sets: readonly Set<string>[],
  rank: (error: FormError) => number,
) {
  const aside = new Map<Line['key'], Said>()

  function moved(at: number, by: 1 | -1, line: Line): void {
    if (by === -1)
      aside.set(line.key, {
        errors: lists.map((list) => errorsOfLine(list.value, at)),
        names: sets.map((keys) => namesOfLine(keys, at)),
      })
    for (const list of lists) list.value = shiftErrors(list.value, at, by)
    for (const keys of sets) shiftKeys(keys, at, by)
    if (by === 1) bringBack(at, line)
  }
  function bringBack(at: number, line: Line): void {
    const said = aside.get(line.key)
    if (!said) return
    aside.delete(line.key)
    lists.forEach((list, i) => {
      const back = atLine(said.errors[i] ?? [], at)
      if (back.length) list.value = [...list.value, ...back].sort((a, b) => rank(a) - rank(b))
    })
    sets.forEach((keys, i) => said.names[i]?.forEach((name) => keys.add(`lines/${at}/${name}`)))
  }
  return { moved, forget: () => aside.clear() }
}
