// The words of the plots in the language of the page.
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Names } from './options'

export function useNames() {
  const { t } = useI18n()
  return computed<Names>(() => ({
    unit: t('dashboard.unit'),
    documents: t('dashboard.refusedDocuments'),
    cumulative: t('dashboard.cumulative'),
    median: t('dashboard.median'),
    p90: t('dashboard.p90'),
  }))
}
