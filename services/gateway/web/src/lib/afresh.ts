// Begins again from the start page, as after opening a new window: nothing of another person's pages stays in memory.
import { useTabs } from '@/stores/tabs'

export function startAfresh(): void {
  useTabs().unsaved.clear() // what was typed is another person's: nobody is asked about it
  window.location.replace('/')
}
