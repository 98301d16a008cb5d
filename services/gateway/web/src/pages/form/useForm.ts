// The life of one form: what is typed, what is wrong with it, saving under If-Match. Words and dialogs belong to the page.
import { computed, onBeforeUnmount, reactive, ref, shallowRef, watch } from 'vue'
import { documents } from '@/api/calls'
import { ApiProblem } from '@/api/problem'
import type { DocumentFull, Field, Kind, ProblemField, SessionInfo, Strategy } from '@/api/types'
import { fieldFault, typingFault, type Fault } from '@/lib/fieldFault'
import {
  bodyOf,
  contentFrom,
  contentOf,
  formFrom,
  isEditable,
  newForm,
  ownContent,
  ownParty,
  strategyParts,
  type FormModel,
  type Part,
} from '@/lib/form'
import { byKey, placeErrors, type FormError } from '@/lib/formErrors'
import type { Content } from '@/lib/merge'
import { placeOf } from '@/lib/pointer'
import { reckon } from '@/lib/reckoned'
import { useCodes } from '@/stores/codes'
import { useLines } from './grid/useLines'
import { useSaid } from './useSaid'

export type Saved = { ok: true; doc: DocumentFull } | { ok: false; why: 'stale' | 'invalid' | 'other'; error: unknown }

const LOOK_MS = 120

export function useForm(kind: Kind, words: (fault: Fault) => string) {
  const form = reactive<FormModel>({ head: {}, lines: [] })
  const doc = shallowRef<DocumentFull | null>(null)
  const errors = shallowRef<FormError[]>([])
  /** what a stored draft still lacks: no mistake yet, but in the way of filing it */
  const warnings = shallowRef<FormError[]>([])
  const left = reactive(new Set<string>())
  /** fields one has typed in or left: what is wrong with them is told */
  const touched = reactive(new Set<string>())
  const dirty = ref(false)
  const saving = ref(false)
  /** counts what is typed, for whoever keeps it */
  const edits = ref(0)
  /** the stored content this form began from, as it was shown; null = of a new document */
  const base = shallowRef<Content | null>(null)
  const codes = useCodes()
  let lineDefaults: Part = {}
  let places: number[] = []

  const told = computed(() => byKey(errors.value))
  const lacking = computed(() => byKey(warnings.value))

  function begin(own: SessionInfo['filing'] | undefined): void {
    const fresh = newForm(kind)
    Object.assign(form, { head: { ...fresh.head, ...ownParty(kind, own) }, lines: fresh.lines })
    lines.forget()
    dirty.value = false
  }
  function show(full: DocumentFull, lacks: ProblemField[] = full.warnings ?? []): void {
    doc.value = full
    base.value = contentFrom(kind, full.body)
    put(base.value)
    warnings.value = placeErrors(kind, lacks, places)
    dirty.value = false
  }
  function put(content: Content): void {
    Object.assign(form, formFrom(content))
    lines.forget()
    said.forget()
    places = form.lines.map((_, at) => at)
    errors.value = []
    warnings.value = []
    left.clear()
    touched.clear()
  }
  /** Content that is not stored yet takes the place of what is shown: a draft, or what came of two people's changes. */
  function take(content: Content, on: DocumentFull | null): void {
    if (on) {
      doc.value = on
      base.value = contentFrom(kind, on.body)
    }
    const given = Object.fromEntries(
      kind.head.filter((field) => !isEditable(field)).map((field) => [field.name, base.value?.head[field.name] ?? '']),
    )
    // a line to type in, where one is needed
    const lines = content.lines.length || !kind.lines.length || kind.min_lines === 0 ? content.lines : [{}]
    put({ head: { ...given, ...content.head }, lines })
    dirty.value = true
    edits.value++
  }
  function changed(key: string): void {
    dirty.value = true
    edits.value++
    touched.add(key)
    if (told.value.has(key)) errors.value = errors.value.filter((error) => error.key !== key)
    if (lacking.value.has(key)) warnings.value = warnings.value.filter((error) => error.key !== key)
  }
  function setHead(name: string, value: string): void {
    if ((form.head[name] ?? '') === value) return
    form.head[name] = value
    changed(`head/${name}`)
  }
  const order = new Map([...kind.head, ...kind.lines].map((field, at) => [field, at]))
  const rank = (error: FormError) =>
    (error.place?.index ?? -1) * 1000 + (error.field ? (order.get(error.field) ?? 0) : 0)
  const said = useSaid([errors, warnings], [left, touched], rank)
  const lines = useLines(kind, form, {
    changed,
    moved(at, by, line) {
      dirty.value = true
      edits.value++
      said.moved(at, by, line)
    },
    defaults: () => lineDefaults,
  })
  /** A chosen strategy fills what strategies fill, over what stood there. */
  function apply(strategy: Strategy): void {
    const parts = strategyParts(kind, strategy)
    for (const [name, value] of Object.entries(parts.head)) setHead(name, value)
    lineDefaults = parts.line
    form.lines.forEach((_, at) => {
      for (const [name, value] of Object.entries(parts.line)) lines.put({ at, name, value })
    })
  }
  const seen = (key: string, field: Field, value: string): Fault | null =>
    left.has(key)
      ? fieldFault(field, value, field.code_table ? codes.knows(field.code_table, value) : undefined)
      : touched.has(key)
        ? typingFault(field, value)
        : null
  /** What is wrong with a field: the server's words first, then what is seen here. */
  function faultOf(key: string, field: Field, value: string): string {
    const said = told.value.get(key)
    if (said) return said.join('；')
    const fault = seen(key, field, value)
    return fault ? words(fault) : ''
  }
  /** What is seen in all fields one typed in or left, in the order of the page. */
  function lookAtAll(): FormError[] {
    const found: FormError[] = []
    for (const key of new Set([...left, ...touched])) {
      const place = placeOf(`/${key}`)
      const field = (place?.level === 'head' ? kind.head : kind.lines).find((one) => one.name === place?.field)
      if (!place || !field) continue
      const value = (place.index === null ? form.head : form.lines[place.index]?.values)?.[field.name] ?? ''
      const fault = seen(key, field, value)
      if (fault) found.push({ key, place, message: words(fault), field })
    }
    return found.sort((a, b) => rank(a) - rank(b))
  }
  // a moment after the last key, not with each: a pasted document has thousands of fields
  const here = shallowRef<FormError[]>([])
  let looking: ReturnType<typeof setTimeout> | undefined
  watch([edits, () => left.size, () => touched.size], () => {
    clearTimeout(looking)
    looking = setTimeout(() => (here.value = lookAtAll()), LOOK_MS)
  })
  onBeforeUnmount(() => clearTimeout(looking))
  /** Everything that is wrong now: what the server said, and what is seen here. */
  const wrongs = computed(() => [...errors.value, ...here.value.filter((one) => !told.value.has(one.key))])
  /** Sums, products and limits of the declaration over what stands here. */
  const findings = computed(() => reckon(kind, form))
  function wrong(error: unknown): boolean {
    if (!(error instanceof ApiProblem) || ![409, 422].includes(error.status)) return false
    takeErrors(error.fields, error.detail || error.title)
    return true
  }
  /** Problems of the whole document stand in the list without a field. */
  function takeErrors(fields: readonly ProblemField[], headline: string): void {
    said.forget()
    errors.value = fields.length ? placeErrors(kind, fields, places) : [{ key: '', place: null, message: headline }]
  }
  async function save(): Promise<Saved> {
    saving.value = true
    const typedSoFar = edits.value
    const sent = bodyOf(kind, form)
    places = sent.places
    try {
      const known = doc.value
      const full = known
        ? await documents.replace(kind.kind, known.id, known.etag ?? `"${known.version}"`, sent.body)
        : await documents.create(kind.kind, sent.body)
      doc.value = full
      base.value = contentFrom(kind, full.body)
      said.forget()
      errors.value = []
      warnings.value = placeErrors(kind, full.warnings ?? [], places)
      // typed while it was on its way: still to be saved
      dirty.value = edits.value !== typedSoFar
      return { ok: true, doc: full }
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 412) return { ok: false, why: 'stale', error }
      return { ok: false, why: wrong(error) ? 'invalid' : 'other', error }
    } finally {
      saving.value = false
    }
  }
  const leave = (key: string) => left.add(key)
  const content = () => ownContent(kind, contentOf(form))
  return {
    form,
    doc,
    base,
    errors,
    wrongs,
    warnings,
    findings,
    dirty,
    edits,
    saving,
    content,
    take,
    begin,
    show,
    setHead,
    lines,
    apply,
    faultOf,
    takeErrors,
    leave,
    save,
  }
}
