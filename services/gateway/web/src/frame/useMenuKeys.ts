// The left menu without a mouse: arrows move between what can be seen, right opens, left closes or goes up to the group,
// Escape closes the pop-out of a folded group and stays on its icon.
import { nextTick, ref, type Ref } from 'vue'

const ITEMS = 'button.item, a.item'

export function useMenuKeys(scroller: Ref<HTMLElement | undefined>, folded: () => boolean) {
  /** the folded group whose pop-out was closed with Escape: it stays closed until one goes elsewhere */
  const hushed = ref('')

  function onKey(event: KeyboardEvent, group: string): void {
    if (event.altKey || event.ctrlKey || event.metaKey || !scroller.value) return
    const here = event.target as HTMLElement
    const section = here.closest('section')
    const head = section?.querySelector<HTMLElement>('.head')
    if (!section || !head) return
    const all = [...scroller.value.querySelectorAll<HTMLElement>(ITEMS)]
    // folded, one moves among the icons, or within the pop-out one is in
    const seen = all.filter((item) =>
      folded() ? item.matches('.head') === (here === head) && (here === head || section.contains(item)) : true,
    )
    const at = seen.indexOf(here)
    const isOpen = here.getAttribute('aria-expanded') === 'true'
    const acts: Record<string, () => void> = {
      ArrowDown: () => seen[at + 1]?.focus(),
      ArrowUp: () => (folded() && at === 0 ? head : seen[at - 1])?.focus(),
      Home: () => seen[0]?.focus(),
      End: () => seen.at(-1)?.focus(),
      ArrowRight: () => {
        if (folded() && here === head) {
          hushed.value = ''
          void nextTick(() => section.querySelector<HTMLElement>('.leaves .item')?.focus())
        } else if (here.hasAttribute('aria-expanded') && !isOpen) here.click()
        else seen[at + 1]?.focus()
      },
      ArrowLeft: () => {
        if (!folded() && isOpen) here.click()
        else head.focus()
      },
      Escape: () => {
        if (!folded()) return
        head.focus()
        hushed.value = group
      },
    }
    const act = acts[event.key]
    if (!act) return
    event.preventDefault()
    act()
  }
  return { hushed, onKey }
}
