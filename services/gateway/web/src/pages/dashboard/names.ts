// The words of the plots in the language of the page.
import { computed } from 'vue'
import type { Names } from './options'
import { t } from '@/locales'

export function useNames() {
  return computed<Names>(() => ({
    unit: t('dashboard.unit'),
    documents: t('dashboard.refusedDocuments'),
    cumulative: t('dashboard.cumulative'),
    median: t('dashboard.median'),
    p90: t('dashboard.p90'),
  }))
}
