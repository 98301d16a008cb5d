// The time by the server's clock, told every second while a component lives: for what counts down.
import { onBeforeUnmount, ref, type Ref } from 'vue'
import { serverNow } from '@/api/client'

export function useNow(): Ref<string> {
  const now = ref(serverNow())
  const timer = setInterval(() => (now.value = serverNow()), 1000)
  onBeforeUnmount(() => clearInterval(timer))
  return now
}
