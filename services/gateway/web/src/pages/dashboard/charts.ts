// The parts of the plotting library that the dashboard uses, and nothing else of it; and the page's colours for it.
import { BarChart, LineChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { init, use, type ComposeOption, type EChartsType } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts'
import type {
  AriaComponentOption,
  GridComponentOption,
  LegendComponentOption,
  TooltipComponentOption,
} from 'echarts/components'

use([BarChart, LineChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, CanvasRenderer])

export type PlotOption = ComposeOption<
  | BarSeriesOption
  | LineSeriesOption
  | GridComponentOption
  | TooltipComponentOption
  | LegendComponentOption
  | AriaComponentOption
>
export type Plot = EChartsType
export const drawOn = (element: HTMLElement): Plot => init(element, null, { renderer: 'canvas' })

export interface Palette {
  ink: string
  muted: string
  line: string
  surface: string
  font: string
  /** by the name of a token without its beginning: blue, amber-line … */
  of: (token: string) => string
}
/** The design's tokens as they are now: another theme has others. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const of = (token: string) => style.getPropertyValue(`--tg-${token}`).trim()
  return { ink: of('ink'), muted: of('ink-2'), line: of('line'), surface: of('surface'), font: of('font'), of }
}
