// Leaving a page for good: its tab goes with it. First to the next page, then the tab is closed: a page that loses its tab
// while it is still shown would be begun afresh, and might hold on to its address.
import { useRouter } from 'vue-router'
import { homePath } from '@/router'
import { neighbour, useTabs } from '@/stores/tabs'

export function useLeave() {
  const router = useRouter()
  const tabs = useTabs()

  /** True where one is elsewhere by now; where there is nowhere else to go, the page and its tab stay. */
  function drop(path: string): boolean {
    const gone = router.currentRoute.value.path !== path
    if (gone) tabs.close(path)
    return gone
  }
  /** To the neighbouring tab; without one, where one begins or where it is told. */
  async function leave(path: string, otherwise = homePath()): Promise<void> {
    tabs.setUnsaved(path, false)
    await router.push(neighbour(tabs.tabs, path)?.fullPath ?? otherwise)
    drop(path)
  }
  /** The same thing goes on under another address; false where it could not. */
  async function goOn(path: string, to: string): Promise<boolean> {
    tabs.setUnsaved(path, false)
    await router.replace(to)
    return drop(path)
  }
  /** To where one begins, and every other tab is closed. */
  async function leaveAll(): Promise<void> {
    const home = homePath()
    await router.push(home)
    tabs.closeOthers(home)
  }
  return { leave, goOn, leaveAll }
}
