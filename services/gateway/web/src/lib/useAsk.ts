// A question before something is done: its button says what; true = agreed.
import { t } from '@/locales'

export function useAsk() {
  return async function ask(message: string, button: string, danger = false): Promise<boolean> {
    try {
      await ElMessageBox.confirm(message, button, {
        confirmButtonText: button,
        cancelButtonText: t('app.cancel'),
        type: danger ? 'warning' : 'info',
        confirmButtonClass: danger ? 'el-button--danger' : '',
      })
      return true
    } catch {
      return false // called off by the person
    }
  }
}
