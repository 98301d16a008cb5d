// What the dashboard makes of the server's numbers, and that its figures lead to the documents behind them.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { Daily, Times } from '@/api/stats'
import { daysOf, inUnit, lastDays, queryAddress, stacksOf, unitOf } from '@/lib/dashboard'
import { i18n } from '@/locales'
import DashboardPage from '@/pages/dashboard/DashboardPage.vue'
import { dailyOption, paretoOption } from '@/pages/dashboard/options'
import { useSession } from '@/stores/session'
import { problem, serve, type Answers } from './support'

const DAY = { stored_from: '2026-11-20T00:00:00+08:00', stored_to: '2026-11-20T23:59:59.999999+08:00' }
const part = (kind: string, count: number, query: Record<string, string>) => ({ kind, count, query })
const DAILY: Daily = {
  from: '2026-11-19',
  to: '2026-11-20',
  groups: [
    { group: 'ready', text: '未提交' },
    { group: 'refused', text: '退单' },
    { group: 'done', text: '放行' },
  ],
  items: [
    { day: '2026-11-20', group: 'ready', count: 3, of: [part('order', 2, DAY), part('list', 1, DAY)] },
    { day: '2026-11-19', group: 'done', count: 4, of: [part('order', 4, {})] },
  ],
}

describe('shaping', () => {
  it('a query stands in the address as query pages have it: days, not moments', () => {
    expect(queryAddress('list', { state: 'rejected,error', ...DAY, refusal: '100 不符', overdue: 'true' })).toEqual({
      path: '/documents/list',
      query: { state: ['rejected', 'error'], stored: '2026-11-20~2026-11-20', refusal: '100 不符', overdue: 'true' },
    })
  })
  it('every day has its place, groups without documents have none', () => {
    const { days, stacks } = stacksOf(DAILY)
    expect(days).toEqual(['2026-11-19', '2026-11-20'])
    expect(stacks.map((stack) => [stack.group, stack.cells.map((cell) => cell.count)])).toEqual([
      ['ready', [0, 3]],
      ['done', [4, 0]],
    ])
    expect(daysOf('2026-02-27', '2026-03-01')).toHaveLength(3)
  })
  it('times are told in the greatest unit in which they say something', () => {
    const time = (p90: number) => [{ p90_seconds: p90 } as Times]
    expect([5, 119, 120, 7200, 172_800].map((seconds) => unitOf(time(seconds)))).toEqual([
      'seconds',
      'seconds',
      'minutes',
      'hours',
      'days',
    ])
    expect([inUnit(90, 'minutes'), unitOf([])]).toEqual([1.5, 'seconds'])
  })
  it('a period ends today and never exceeds a month', () => {
    expect(lastDays('week', '2026-03-03').from).toBe('2026-02-25')
    expect(lastDays('month', '2026-03-31')).toEqual({ from: '2026-03-01', to: '2026-03-31' })
  })
  it('plots have a unit, and a pattern or mark beside each colour', () => {
    const colours = { ink: '', muted: '', line: '', surface: '', font: '', of: (token: string) => token }
    const names = { unit: '份', documents: '单据数', cumulative: '累计', median: '中位数', p90: 'P90' }
    const { days, stacks } = stacksOf(DAILY)
    const plot = dailyOption(days, stacks, names, colours)
    expect((plot.yAxis as { name: string }).name).toBe('份')
    const series = plot.series as { itemStyle: { decal: object; color: string } }[]
    expect(new Set(series.map((one) => JSON.stringify(one.itemStyle.decal))).size).toBe(series.length)
    expect(series.map((one) => one.itemStyle.color)).toEqual(['grey', 'green'])
    expect((paretoOption([], names, colours).xAxis as { name: string }[])[0]?.name).toBe('份')
  })
})

const NONE = { count: 0, of: [] }
const OVERVIEW = {
  day: '2026-11-20',
  at: '2026-11-20T15:04:00+08:00',
  received: { count: 3, of: [part('order', 2, DAY), part('list', 1, DAY)] },
  cleared: NONE,
  refused: { count: 1, of: [part('order', 1, { refused_from: DAY.stored_from, refused_to: DAY.stored_to })] },
  waiting: {
    count: 1,
    of: [{ ...part('order', 1, { state: 'rejected' }), what: 'refused' }],
    items: [
      { what: 'ready', text: '待提交', ...NONE },
      {
        what: 'refused',
        text: '退单',
        count: 1,
        of: [{ ...part('order', 1, { state: 'rejected' }), what: 'refused' }],
      },
    ],
  },
}
const title = (zh: string) => ({ zh, en: zh })
const ANSWERS: Answers = {
  'GET /kinds': {
    items: [
      { kind: 'order', title: title('订单'), page_sets: [] },
      { kind: 'list', title: title('清单'), page_sets: [] },
    ],
  },
  'GET /stats/overview': OVERVIEW,
  'GET /stats/daily': { ...DAILY, items: [] },
  'GET /stats/refusals': () => problem(503, { detail: '稍后再试' }),
  'GET /stats/clearance': { from: '2026-11-07', to: '2026-11-20', items: [] },
}

async function page(answers: Answers) {
  const sent = serve(answers)
  const anything = { template: '<p />' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/dashboard', component: DashboardPage },
      { path: '/:rest(.*)*', component: anything },
    ],
  })
  await router.push('/dashboard')
  const shown = mount({ template: '<router-view />' }, { global: { plugins: [i18n, router] }, attachTo: document.body })
  await flushPromises()
  return { shown, sent, router, at: (test: string) => shown.find(`[data-test="${test}"]`) }
}

describe('the page', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    document.body.innerHTML = ''
  })

  it('a figure of one kind is a link to its query, one of several asks which', async () => {
    const { at, router, shown } = await page(ANSWERS)
    const refused = at('tile-refused').find('[data-test="figure"]')
    expect(refused.attributes('href')).toBe('/documents/order?refused=2026-11-20~2026-11-20')
    expect(at('tile-received').text()).toContain('订单 2、清单 1')
    await at('tile-received').find('[data-test="figure"]').trigger('click')
    await flushPromises()
    const parts = [...document.querySelectorAll('[data-test="figure-part"]')].map((one) => one.getAttribute('href'))
    expect(parts).toEqual(['order', 'list'].map((kind) => `/documents/${kind}?stored=2026-11-20~2026-11-20`))
    // nothing leads nowhere
    expect(at('tile-cleared').find('a, button').exists()).toBe(false)
    expect(at('tile-cleared').text()).toContain('今天还没有放行或审结')
    expect(router.currentRoute.value.path).toBe('/dashboard')
    shown.unmount()
  })
  it('each panel says why it is empty or failed, and asks again by itself alone', async () => {
    const { at, sent, shown } = await page(ANSWERS)
    expect(at('panel-daily').text()).toContain('近 14 天没有单据入库')
    expect(at('panel-refusals').text()).toContain('稍后再试')
    expect(at('panel-waiting').text()).toContain('订单')
    const before = sent.length
    await at('panel-refusals').find('[data-test="error-retry"]').trigger('click')
    await flushPromises()
    expect(sent.slice(before).map((call) => call.url.split('?')[0])).toEqual(['/api/v1/stats/refusals'])
    shown.unmount()
  })
  it('asks for the chosen kind, and for keys only where one may see them', async () => {
    const { router, sent, shown } = await page(ANSWERS)
    expect(sent.some((call) => call.url.includes('/stats/devices'))).toBe(false)
    await router.push('/dashboard?kind=list')
    await flushPromises()
    expect(sent.filter((call) => call.url.includes('kind=list'))).toHaveLength(4)
    expect(useSession().may('key.read')).toBe(false)
    shown.unmount()
  })
})
