// Copies a text and says so; where the browser does not allow it, that it can be selected by hand.
import { t } from '@/locales'

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    ElMessage({ type: 'success', message: t('messages.copied') })
  } catch {
    // forbidden by the browser, or the page is not in front: the text stands there to be selected
    ElMessage({ type: 'warning', message: t('messages.notCopied') })
  }
}
