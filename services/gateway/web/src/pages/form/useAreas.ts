// The areas of a form as declared: those people fill in first, what only the system or customs fills last.
import { computed } from 'vue'
import type { Kind } from '@/api/types'
import { isEditable } from '@/lib/form'
import { say, t } from '@/locales'

export function useAreas(kind: Kind) {
  const areas = computed(() => {
    const known = new Set(kind.areas.map((area) => area.name))
    const named = kind.areas.map((area) => ({
      name: area.name,
      title: say(area.label),
      fields: kind.head.filter((field) => field.area === area.name),
    }))
    const rest = kind.head.filter((field) => !field.area || !known.has(field.area))
    if (rest.length) named.push({ name: 'other', title: t('detail.other'), fields: rest })
    return named.filter((area) => area.fields.length)
  })
  /** In the order in which they stand: what nobody fills in comes last, and Ctrl+End passes it by. */
  const anchors = computed(() => [
    ...areas.value.filter(isOwn).map(({ name, title: label }) => ({ name, label, own: true })),
    ...(kind.lines.length ? [{ name: 'lines', label: t('detail.lines'), own: true }] : []),
    ...areas.value.filter((area) => !isOwn(area)).map(({ name, title: label }) => ({ name, label, own: false })),
  ])
  const isOwn = (area: { fields: Kind['head'] }) => area.fields.some(isEditable)
  return { areas, anchors, isOwn }
}
