// What every plot of days needs: words, the drawing (loaded when the first one is shown), and the way to a figure's documents.
import { defineAsyncComponent } from 'vue'
import { useOpenFigure } from './figures'
import { useNames } from './names'
import { t } from '@/locales'

export const PlotCanvas = defineAsyncComponent(() => import('./PlotCanvas.vue'))

export function usePlot() {
  return { t, names: useNames(), open: useOpenFigure() }
}
