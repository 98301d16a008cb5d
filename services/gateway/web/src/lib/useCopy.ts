// 复制: a new form that begins with the content of a document. Nothing is stored before it is saved there.
import { useRouter } from 'vue-router'
import type { Kind } from '@/api/types'
import { formPath } from '@/pages'
import { useTabs } from '@/stores/tabs'
import { copyOf } from './form'
import { leaveCopy } from './handover'
import type { Content } from './merge'
import { t } from '@/locales'

export function useCopy() {
  const router = useRouter()
  const tabs = useTabs()

  async function copy(kind: Kind, content: Content): Promise<void> {
    const path = formPath(kind.kind)
    if (tabs.unsaved.has(path)) ElMessage({ type: 'warning', message: t('form.copyOpen') })
    else {
      tabs.close(path)
      leaveCopy(kind.kind, copyOf(kind, content))
    }
    await router.push(path)
  }
  return { copy }
}
