// The open tabs. Each is one route path; its full address (conditions, page) is kept so that coming back is exact.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

export interface Tab {
  path: string
  fullPath: string
  title: string
}

/** Which tab to show after `closed` went away: its right neighbour, else the left one, else none. */
export function neighbour(tabs: readonly Tab[], closed: string): Tab | null {
  const at = tabs.findIndex((tab) => tab.path === closed)
  return tabs[at + 1] ?? tabs[at - 1] ?? null
}

export const useTabs = defineStore('tabs', () => {
  const tabs = ref<Tab[]>([])
  let owner = ''
  const paths = computed(() => tabs.value.map((tab) => tab.path))

  function visit(path: string, fullPath: string, title: string): void {
    const known = tabs.value.find((tab) => tab.path === path)
    if (known) known.fullPath = fullPath
    else tabs.value.push({ path, fullPath, title })
  }
  /** A page that knows better than its route (the number of a document) names its own tab. */
  function name(path: string, title: string): void {
    const tab = tabs.value.find((one) => one.path === path)
    if (tab) tab.title = title
  }
  function close(path: string): Tab | null {
    const next = neighbour(tabs.value, path)
    tabs.value = tabs.value.filter((tab) => tab.path !== path)
    return next
  }
  function closeOthers(path: string): void {
    tabs.value = tabs.value.filter((tab) => tab.path === path)
  }
  function closeAll(): void {
    tabs.value = []
  }
  /** Tabs belong to one person acting for one client; for anybody else they are gone, except the one being opened. */
  function ownedBy(who: string, keep: { path: string } | null): void {
    if (owner !== who) tabs.value = tabs.value.filter((tab) => tab.path === keep?.path)
    owner = who
  }

  return { tabs, paths, visit, name, close, closeOthers, closeAll, ownedBy }
})
