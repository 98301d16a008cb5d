// The plots of the dashboard, from shaped numbers to what the plotting library takes. Colour never alone: patterns,
// different marks and words go with it.
import type { Clearance, Refusal } from '@/api/stats'
import { inUnit, percent, type Stack, type TimeUnit } from '@/lib/dashboard'
import type { Palette, PlotOption } from './charts'

/** Group of states -> token of its colour. */
const GROUP_TOKENS: Record<string, string> = {
  ready: 'grey',
  under_way: 'blue',
  attention: 'amber',
  refused: 'red',
  done: 'green',
  ended: 'grey-line',
}
/** One pattern for each group, so that a print or a colour-blind eye tells them apart. */
const LINES = { dashArrayX: [1, 0], symbolSize: 1 }
const PATTERNS: Record<string, object> = {
  ready: {
    symbol: 'circle',
    symbolSize: 0.5,
    dashArrayX: [
      [6, 6],
      [0, 6, 6, 0],
    ],
    dashArrayY: [6, 0],
  },
  under_way: { ...LINES, dashArrayY: [2, 5], rotation: Math.PI / 4 },
  attention: { ...LINES, dashArrayY: [2, 4], rotation: 0 },
  refused: { ...LINES, dashArrayY: [2, 4], rotation: -Math.PI / 4 },
  done: { symbol: 'none' },
  ended: { ...LINES, dashArrayY: [1, 4], rotation: Math.PI / 2 },
}

export interface Names {
  unit: string
  documents: string
  cumulative: string
  median: string
  p90: string
}

function base(colours: Palette): PlotOption {
  const tooltip = {
    renderMode: 'richText' as const,
    confine: true,
    backgroundColor: colours.surface,
    borderColor: colours.line,
    textStyle: { color: colours.ink, fontFamily: colours.font, fontSize: 12 },
  }
  return {
    animation: false,
    textStyle: { fontFamily: colours.font, fontSize: 12, color: colours.ink },
    aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
    tooltip,
  }
}
const legend = (colours: Palette) => ({
  top: 0,
  right: 0,
  itemWidth: 16,
  itemHeight: 10,
  itemGap: 9,
  textStyle: { color: colours.muted, fontSize: 12 },
})
const valueAxis = (colours: Palette, name: string) => ({
  type: 'value' as const,
  name,
  nameTextStyle: { color: colours.muted, align: 'left' as const, padding: [0, 0, 0, -20] },
  nameGap: 10,
  axisLabel: { color: colours.muted },
  splitLine: { lineStyle: { color: colours.line } },
})
const dayAxis = (colours: Palette, days: readonly string[]) => ({
  type: 'category' as const,
  data: days.map((day) => day.slice(5)),
  axisLabel: { color: colours.muted },
  axisLine: { lineStyle: { color: colours.line } },
  axisTick: { show: false },
})

/** Documents of each day, stacked by the group of states they are in now. */
export function dailyOption(
  days: readonly string[],
  stacks: readonly Stack[],
  names: Names,
  colours: Palette,
): PlotOption {
  const common = base(colours)
  return {
    ...common,
    tooltip: { ...common.tooltip, trigger: 'axis', axisPointer: { type: 'shadow' } },
    legend: { ...legend(colours), data: stacks.map((stack) => stack.text) },
    grid: { left: 44, right: 8, top: 46, bottom: 24 },
    xAxis: dayAxis(colours, days),
    yAxis: { ...valueAxis(colours, names.unit), minInterval: 1 },
    series: stacks.map((stack) => ({
      type: 'bar' as const,
      id: stack.group,
      name: stack.text,
      stack: 'all',
      barMaxWidth: 30,
      cursor: 'pointer',
      itemStyle: {
        color: colours.of(GROUP_TOKENS[stack.group] ?? 'grey'),
        borderColor: colours.surface,
        borderWidth: 0.5,
        decal: { color: colours.surface, ...PATTERNS[stack.group] },
      },
      data: stack.cells.map((cell) => cell.count || null),
    })),
  }
}

/** Reasons of refusals, the most frequent on top, with the share of all that is reached with each. */
export function paretoOption(reasons: readonly Refusal[], names: Names, colours: Palette): PlotOption {
  const common = base(colours)
  return {
    ...common,
    tooltip: { ...common.tooltip, trigger: 'axis', axisPointer: { type: 'shadow' } },
    legend: legend(colours),
    grid: { left: 168, right: 48, top: 26, bottom: 24 },
    yAxis: {
      type: 'category',
      inverse: true,
      data: reasons.map((reason) => `[${reason.code}] ${reason.text}`),
      axisLabel: { color: colours.ink, width: 156, overflow: 'truncate', ellipsis: '…' },
      axisLine: { lineStyle: { color: colours.line } },
      axisTick: { show: false },
    },
    xAxis: [
      {
        ...valueAxis(colours, names.unit),
        minInterval: 1,
        nameTextStyle: { color: colours.muted },
        nameLocation: 'start',
        nameGap: 14,
      },
      { type: 'value', min: 0, max: 1, show: false },
    ],
    series: [
      {
        type: 'bar',
        id: 'count',
        name: names.documents,
        barMaxWidth: 18,
        cursor: 'pointer',
        itemStyle: { color: colours.of('red'), decal: { color: colours.surface, ...PATTERNS.refused } },
        label: { show: true, position: 'right', color: colours.ink, distance: 4 },
        data: reasons.map((reason) => reason.count),
      },
      {
        type: 'line',
        id: 'cumulative',
        name: names.cumulative,
        xAxisIndex: 1,
        symbol: 'diamond',
        symbolSize: 8,
        cursor: 'pointer',
        lineStyle: { color: colours.muted, width: 1.5, type: 'dashed' },
        itemStyle: { color: colours.muted },
        // its scale: every point says its share
        label: {
          show: true,
          position: 'right',
          distance: 6,
          color: colours.ink,
          backgroundColor: colours.surface,
          padding: [1, 3],
          fontSize: 11,
          formatter: ({ value }) => percent(Number(value)),
        },
        tooltip: { valueFormatter: (value) => percent(Number(value)) },
        data: reasons.map((reason) => reason.cumulative),
      },
    ],
  }
}

/** Median and p90 of each day on which anything was cleared. */
export function clearanceOption(
  days: readonly string[],
  times: Clearance['items'][number]['days'],
  unit: TimeUnit,
  names: Names,
  colours: Palette,
): PlotOption {
  const common = base(colours)
  const at = new Map(times.map((time) => [time.day, time]))
  const line = (id: 'median' | 'p90', token: string, symbol: string, dashed: boolean) => ({
    type: 'line' as const,
    id,
    name: names[id],
    symbol,
    symbolSize: 8,
    connectNulls: true,
    cursor: 'pointer',
    lineStyle: { color: colours.of(token), width: 2, type: dashed ? ('dashed' as const) : ('solid' as const) },
    itemStyle: { color: colours.of(token) },
    data: days.map((day) => {
      const time = at.get(day)
      return time ? inUnit(id === 'median' ? time.median_seconds : time.p90_seconds, unit) : null
    }),
  })
  return {
    ...common,
    tooltip: { ...common.tooltip, trigger: 'axis' },
    legend: legend(colours),
    grid: { left: 44, right: 8, top: 46, bottom: 24 },
    xAxis: dayAxis(colours, days),
    yAxis: valueAxis(colours, names.unit),
    series: [line('median', 'blue', 'circle', false), line('p90', 'amber', 'diamond', true)],
  }
}
