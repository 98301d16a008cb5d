// What every plot of days needs: words, the drawing (loaded when the first one is shown), and the way to a figure's documents.
import { defineAsyncComponent } from 'vue'
import { useI18n } from 'vue-i18n'
import { useOpenFigure } from './figures'
import { useNames } from './names'

export const PlotCanvas = defineAsyncComponent(() => import('./PlotCanvas.vue'))

export function usePlot() {
  const { t } = useI18n()
  return { t, names: useNames(), open: useOpenFigure() }
}
