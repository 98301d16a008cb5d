// Enter goes to the next field of a form and Shift+Enter back, as people in customs offices are used to. A button keeps
// its Enter; a code field has taken what one means by then.

const FIELDS = '.tg-input:not(:disabled)'

export function onwardKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement
  if (event.key !== 'Enter' || event.isComposing || event.defaultPrevented) return
  if (!target.matches(FIELDS)) return
  const fields = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(FIELDS)]
  const next = fields[fields.indexOf(target) + (event.shiftKey ? -1 : 1)]
  if (!next) return
  event.preventDefault()
  next.focus()
}
