// Which groups and pages the menu shows this session, and where each leads.
import { computed } from 'vue'
import { useRoute } from 'vue-router'
import { isBranch, type MenuEntry, type MenuGroup, type MenuLeaf } from '@/pages'
import { useCatalogue } from '@/stores/catalogue'
import { useSession } from '@/stores/session'
import { useTabs } from '@/stores/tabs'

export function useMenuGroups() {
  const session = useSession()
  const catalogue = useCatalogue()
  const route = useRoute()
  const tabs = useTabs()

  function allowed(leaf: MenuLeaf): boolean {
    if (leaf.broker) return session.isBroker
    return session.may(leaf.permission) && !session.mustChooseClient
  }
  const groups = computed<MenuGroup[]>(() =>
    catalogue.menu
      .map((group) => ({
        ...group,
        entries: group.entries
          .map((entry) => (isBranch(entry) ? { ...entry, leaves: entry.leaves.filter(allowed) } : entry))
          .filter((entry) => (isBranch(entry) ? entry.leaves.length : allowed(entry))),
      }))
      .filter((group) => group.entries.length),
  )
  const leavesOf = (entries: readonly MenuEntry[]): MenuLeaf[] =>
    entries.flatMap((entry) => (isBranch(entry) ? entry.leaves : [entry]))
  const holds = (group: MenuGroup) => leavesOf(group.entries).some((leaf) => leaf.path === route.path)
  /** Also of a document, a form or an import that stands in no menu: the group of its kind. */
  const isHere = (group: MenuGroup) =>
    holds(group) ||
    catalogue.kinds.some(({ kind, page_sets: pages }) => kind === route.params.kind && pages[0]?.group === group.id)
  /** An open page is entered where one left it. */
  const addressOf = (leaf: Pick<MenuLeaf, 'path'>) =>
    tabs.tabs.find((tab) => tab.path === leaf.path)?.fullPath ?? leaf.path
  return { groups, holds, isHere, addressOf }
}
