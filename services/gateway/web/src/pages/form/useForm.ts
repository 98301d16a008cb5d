// The life of one form: what is typed, what is wrong with it, saving under If-Match. Words and dialogs belong to the page.
import { computed, reactive, ref, shallowRef } from 'vue'
import { documents } from '@/api/calls'
import { ApiProblem } from '@/api/problem'
import type { DocumentFull, Field, Kind, ProblemField, SessionInfo, Strategy } from '@/api/types'
import { fieldFault, type Fault } from '@/lib/fieldFault'
import {
  bodyOf,
  duplicateLine,
  formOf,
  newForm,
  newLine,
  ownParty,
  strategyParts,
  type FormModel,
  type Part,
} from '@/lib/form'
import { byKey, placeErrors, shiftErrors, type FormError } from '@/lib/formErrors'

export type Saved = { ok: true; doc: DocumentFull } | { ok: false; why: 'stale' | 'invalid' | 'other'; error: unknown }

export function useForm(kind: Kind, words: (fault: Fault) => string) {
  const form = reactive<FormModel>({ head: {}, lines: [] })
  const doc = shallowRef<DocumentFull | null>(null)
  const errors = shallowRef<FormError[]>([])
  /** what a stored draft still lacks: no mistake yet, but in the way of filing it */
  const warnings = shallowRef<FormError[]>([])
  const left = reactive(new Set<string>())
  const dirty = ref(false)
  const saving = ref(false)
  let lineDefaults: Part = {}
  let places: number[] = []

  const told = computed(() => byKey(errors.value))
  const lacking = computed(() => byKey(warnings.value))

  function begin(own: SessionInfo['filing'] | undefined): void {
    const fresh = newForm(kind)
    Object.assign(form, { head: { ...fresh.head, ...ownParty(kind, own) }, lines: fresh.lines })
    dirty.value = false
  }
  function show(full: DocumentFull, lacks: ProblemField[] = full.warnings ?? []): void {
    doc.value = full
    Object.assign(form, formOf(full.body))
    places = form.lines.map((_, at) => at)
    errors.value = []
    warnings.value = placeErrors(kind, lacks, places)
    left.clear()
    dirty.value = false
  }
  function changed(key: string): void {
    dirty.value = true
    if (told.value.has(key)) errors.value = errors.value.filter((error) => error.key !== key)
    if (lacking.value.has(key)) warnings.value = warnings.value.filter((error) => error.key !== key)
  }
  function setHead(name: string, value: string): void {
    if ((form.head[name] ?? '') === value) return
    form.head[name] = value
    changed(`head/${name}`)
  }
  function setCell(at: number, name: string, value: string): void {
    const line = form.lines[at]
    if (!line || (line.values[name] ?? '') === value) return
    line.values[name] = value
    changed(`lines/${at}/${name}`)
  }
  /** Another line at this place: what was said of lines behind it moves along. */
  function insert(at: number, copyOf?: number): void {
    const source = copyOf === undefined ? undefined : form.lines[copyOf]
    form.lines.splice(at, 0, source ? duplicateLine(source) : newLine(kind, lineDefaults))
    shift(at, 1)
  }
  function remove(at: number): void {
    form.lines.splice(at, 1)
    shift(at, -1)
  }
  function shift(at: number, by: 1 | -1): void {
    dirty.value = true
    errors.value = shiftErrors(errors.value, at, by)
    warnings.value = shiftErrors(warnings.value, at, by)
    for (const key of [...left]) if (key.startsWith('lines/')) left.delete(key)
  }
  function paste(at: number, names: string[], cells: string[][]): void {
    cells.forEach((row, r) => {
      if (at + r >= (kind.max_lines ?? 100)) return
      if (at + r >= form.lines.length) insert(form.lines.length)
      row.forEach((text, c) => {
        const name = names[c]
        if (name) setCell(at + r, name, text)
      })
    })
  }
  /** A chosen strategy fills what strategies fill, over what stood there. */
  function apply(strategy: Strategy): void {
    const parts = strategyParts(kind, strategy)
    for (const [name, value] of Object.entries(parts.head)) setHead(name, value)
    lineDefaults = parts.line
    form.lines.forEach((_, at) => {
      for (const [name, value] of Object.entries(parts.line)) setCell(at, name, value)
    })
  }
  /** What is wrong with a field: the server's words first, then what is seen at once in a field one has left. */
  function faultOf(key: string, field: Field, value: string): string {
    const said = told.value.get(key)
    if (said) return said.join('；')
    if (!left.has(key)) return ''
    const fault = fieldFault(field, value)
    return fault ? words(fault) : ''
  }
  function wrong(error: unknown): boolean {
    if (!(error instanceof ApiProblem) || ![409, 422].includes(error.status)) return false
    takeErrors(error.fields, error.detail || error.title)
    return true
  }
  /** Problems of the whole document stand in the list without a field. */
  function takeErrors(fields: readonly ProblemField[], headline: string): void {
    errors.value = fields.length ? placeErrors(kind, fields, places) : [{ key: '', place: null, message: headline }]
  }
  async function save(): Promise<Saved> {
    saving.value = true
    const sent = bodyOf(kind, form)
    places = sent.places
    try {
      const known = doc.value
      const full = known
        ? await documents.replace(kind.kind, known.id, known.etag ?? `"${known.version}"`, sent.body)
        : await documents.create(kind.kind, sent.body)
      doc.value = full
      errors.value = []
      warnings.value = placeErrors(kind, full.warnings ?? [], places)
      dirty.value = false
      return { ok: true, doc: full }
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 412) return { ok: false, why: 'stale', error }
      return { ok: false, why: wrong(error) ? 'invalid' : 'other', error }
    } finally {
      saving.value = false
    }
  }
  const leave = (key: string) => left.add(key)
  return {
    form,
    doc,
    errors,
    warnings,
    dirty,
    saving,
    begin,
    show,
    setHead,
    setCell,
    insert,
    remove,
    paste,
    apply,
    faultOf,
    takeErrors,
    leave,
    save,
  }
}
