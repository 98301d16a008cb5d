// The sign-in over the pages: whose it is when it comes, and what is typed stays whatever else is heard.
import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { expect, it } from 'vitest'
import { nextTick } from 'vue'
import SignInAgain from '@/frame/SignInAgain.vue'
import { i18n } from '@/locales'
import { useSession } from '@/stores/session'
import type { SessionInfo } from '@/api/types'

it('names who was signed in, and keeps what is typed when the session ends meanwhile', async () => {
  setActivePinia(createPinia())
  const session = useSession()
  session.info = { user: { id: 'u', username: 'zhang', name: '张三' } } as unknown as SessionInfo
  const form = mount(SignInAgain, {
    global: { plugins: [i18n], stubs: { ElDialog: { template: '<div><slot /></div>' }, ElButton: true } },
  })
  const username = () => form.find('[data-test="again-username"]')
  session.gone = 'soon'
  await nextTick()
  await nextTick()
  expect((username().element as HTMLInputElement).value).toBe('zhang')
  await username().setValue('li')
  session.gone = 'idle'
  await nextTick()
  await nextTick()
  expect((username().element as HTMLInputElement).value).toBe('li')
  form.unmount()
})
