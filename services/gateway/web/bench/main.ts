// One of the things, named in the address, mounted by a key, so that mounting is measured like everything else.
import { createPinia } from 'pinia'
import { createApp, defineComponent, h, ref, shallowRef } from 'vue'
import { i18n } from '@/locales'
import '@/styles/tokens.css'
import '@/styles/base.css'
import Bare from './Bare.vue'
import OurGrid from './OurGrid.vue'
import OurList from './OurList.vue'
import PlainGrid from './PlainGrid.vue'
import PlainList from './PlainList.vue'
import { last, startProbe } from './probe'

const THINGS = {
  bare: Bare,
  'our-grid': OurGrid,
  'our-list': OurList,
  'plain-grid': PlainGrid,
  'plain-list': PlainList,
}
const thing = THINGS[(new URLSearchParams(location.search).get('thing') ?? '') as keyof typeof THINGS]
const shown = ref(false)
const part = shallowRef<{ change?: (at: number) => void; replace?: () => void }>()

declare global {
  interface Window {
    lastKey: typeof last
  }
}
window.lastKey = last
startProbe()
window.addEventListener('keydown', (event) => {
  if (event.key === 'F6') shown.value = !shown.value
  else if (event.key === 'F7') part.value?.change?.(5)
  else if (event.key === 'F9') part.value?.replace?.()
  else return
  event.preventDefault()
})
createApp(
  defineComponent({ setup: () => () => (shown.value ? h(thing as typeof OurGrid, { ref: part as never }) : h('p')) }),
)
  .use(createPinia())
  .use(i18n)
  .mount('#app')
