// Tells a problem that belongs to an action (not to a page): what happened, what to do, the trace. Never "failed" alone.
import { problemWords } from '@/api/problem'
import { t } from '@/locales'

export function useProblem(): { tell: (error: unknown) => void } {
  function tell(error: unknown): void {
    const words = problemWords(error, t)
    const fields = words.fields
      .map((field) => field.message)
      .slice(0, 3)
      .join('；')
    const trace = words.trace ? `（${t('problem.trace')} ${words.trace}）` : ''
    ElMessage({
      type: 'error',
      message: [words.headline, fields, words.hint].filter(Boolean).join(' ') + trace,
      duration: 8000,
      showClose: true,
      grouping: true,
    })
  }
  return { tell }
}
