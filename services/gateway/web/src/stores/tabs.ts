// The open tabs. Each is one route path; its full address (conditions, page) is kept so that coming back is exact.
import { defineStore } from 'pinia'
import { computed, reactive, ref, watch } from 'vue'
import type { Label } from '@/api/types'
import { readWindow, writeWindow } from '@/lib/storage'

const KEPT = 'tongguan.tabs'
interface Kept {
  owner: string
  tabs: Tab[]
}

/** A key of the locale, a number, or words of a declaration. */
export type TabTitle = string | Label
export interface Tab {
  path: string
  fullPath: string
  title: TabTitle
}

/** Which tab to show after `closed` went away: its right neighbour, else the left one, else none. */
export function neighbour(tabs: readonly Tab[], closed: string): Tab | null {
  const at = tabs.findIndex((tab) => tab.path === closed)
  return tabs[at + 1] ?? tabs[at - 1] ?? null
}

export const useTabs = defineStore('tabs', () => {
  const tabs = ref<Tab[]>([])
  /** tabs with something typed that is not saved: closing them asks first */
  const unsaved = reactive(new Set<string>())
  let owner = ''
  const paths = computed(() => tabs.value.map((tab) => tab.path))

  function visit(path: string, fullPath: string, title: TabTitle): void {
    const known = tabs.value.find((tab) => tab.path === path)
    if (known) known.fullPath = fullPath
    else tabs.value.push({ path, fullPath, title })
  }
  /** A page that knows better than its route (the number of a document) names its own tab. */
  function name(path: string, title: TabTitle): void {
    const tab = tabs.value.find((one) => one.path === path)
    if (tab) tab.title = title
  }
  function close(path: string): void {
    tabs.value = tabs.value.filter((tab) => tab.path !== path)
    unsaved.delete(path)
  }
  function setUnsaved(path: string, is: boolean): void {
    if (is) unsaved.add(path)
    else unsaved.delete(path)
  }
  /** Unsaved tabs among those that would be closed. */
  const atRisk = (keep: string | null = null): Tab[] =>
    tabs.value.filter((tab) => tab.path !== keep && unsaved.has(tab.path))
  function closeOthers(path: string): void {
    tabs.value = tabs.value.filter((tab) => tab.path === path)
    for (const one of unsaved) if (one !== path) unsaved.delete(one)
  }
  /** Tabs belong to one person acting for one client; for anybody else they are gone, except the one being opened. */
  function ownedBy(who: string, keep: { path: string } | null): void {
    if (owner !== who) {
      const reloaded = owner === ''
      const here = tabs.value.filter((tab) => tab.path === keep?.path)
      tabs.value = reloaded ? restored(who, here) : here
      unsaved.clear()
    }
    owner = who
  }
  /** After a reload: the same tabs in the same order, each at its full address; the page in the address bar counts. */
  function restored(who: string, here: Tab[]): Tab[] {
    const kept = readWindow<Kept>(KEPT, { owner: '', tabs: [] })
    if (kept.owner !== who || !Array.isArray(kept.tabs)) return here
    const before = kept.tabs.filter((tab) => typeof tab?.path === 'string' && typeof tab.fullPath === 'string')
    const merged = before.map((tab) => {
      const now = here.find((one) => one.path === tab.path)
      return now ? { ...tab, fullPath: now.fullPath } : tab
    })
    return [...merged, ...here.filter((tab) => !before.some((one) => one.path === tab.path))]
  }
  watch(
    tabs,
    (now) => {
      if (owner) writeWindow(KEPT, { owner, tabs: now } satisfies Kept)
    },
    { deep: true },
  )

  return { tabs, paths, unsaved, visit, name, close, setUnsaved, atRisk, closeOthers, ownedBy }
})
