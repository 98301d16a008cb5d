// Work in the background: following an export, what an import asks for, column mappings, tasks, and what is overdue.
import { describe, expect, it, vi } from 'vitest'
import type { ExportJob, Kind, MappingProposal } from '@/api/types'
import { follow, share } from '@/lib/exportJob'
import { FIRST_PAUSE, LONGEST_PAUSE, nextPause } from '@/lib/follow'
import { lackingFields, needsStrategy, targetsOf } from '@/lib/importNeeds'
import { choicesOf, choose, mappingOf, stillMissing } from '@/lib/mapping'
import { isOverdue } from '@/lib/overdue'
import { pushCounts } from '@/lib/tasks'
import { questionOf } from '@/lib/usePaged'
import { KIND } from './support'

const job = (changes: Partial<ExportJob> = {}): ExportJob => ({
  id: 'x',
  state: 'running',
  rows: 100,
  done: 0,
  ...changes,
})
const at = (answers: (ExportJob | Error)[]) => {
  const shown: ExportJob[] = []
  const pauses: number[] = []
  const control = new AbortController()
  const read = vi.fn(async () => {
    const next = answers.shift()
    if (next instanceof Error) throw next
    return next as ExportJob
  })
  const run = () =>
    follow({
      read,
      show: (one) => shown.push(one),
      lasting: (error) => (error as Error).message === 'gone',
      signal: control.signal,
      wait: async (ms) => {
        pauses.push(ms)
      },
    })
  return { shown, pauses, control, read, run }
}

describe('following an export', () => {
  it('asks at growing pauses until it is done', async () => {
    const one = at([job({ state: 'waiting' }), job({ done: 50 }), job({ state: 'done', done: 100 })])
    expect((await one.run())?.state).toBe('done')
    expect(one.shown.map((shown) => shown.done)).toEqual([0, 50, 100])
    expect(one.pauses[0]).toBe(FIRST_PAUSE)
    expect(one.pauses).toEqual([...one.pauses].sort((a, b) => a - b))
    expect(nextPause(1e9)).toBe(LONGEST_PAUSE)
  })
  it('ends with what failed, too', async () => {
    expect((await at([job({ state: 'failed' })]).run())?.state).toBe('failed')
  })
  it('goes on over a silence, but not for ever', async () => {
    const short = at([new Error('net'), job({ state: 'done' })])
    expect((await short.run())?.state).toBe('done')
    const long = at(Array.from({ length: 9 }, () => new Error('net')))
    await expect(long.run()).rejects.toThrow('net')
    expect(long.read).toHaveBeenCalledTimes(5)
  })
  it('stops at once where asking is useless, or nobody waits any more', async () => {
    await expect(at([new Error('gone')]).run()).rejects.toThrow('gone')
    const one = at([job(), job()])
    one.control.abort()
    expect(await one.run()).toBeNull()
    expect(one.read).not.toHaveBeenCalled()
  })
  it('knows its share', () => {
    expect([job({ rows: 0 }), job({ done: 25 }), job({ state: 'done', rows: 0 })].map(share)).toEqual([0, 0.25, 1])
  })
})

const column = (field: string, level: 'head' | 'line') => ({
  field,
  level,
  label: { zh: field, en: field },
  required: true,
})
const SHEETED: Kind = {
  ...KIND,
  head: [
    ...KIND.head,
    {
      name: 'operatorCode',
      label: { zh: '经营人', en: 'Operator' },
      type: 'code',
      required: true,
      filled_by: 'strategy',
      default: null,
    },
    { name: 'guid', label: { zh: '号', en: 'GUID' }, type: 'code', required: true, filled_by: 'system' },
  ],
  sheet: { name: 's', batch: false, export_date: null, columns: [column('parcelNo', 'head')] },
}

describe('what an import asks for', () => {
  it('a strategy where the workbook leaves something to one', () => {
    expect(lackingFields(SHEETED)).toEqual(['head.operatorCode'])
    expect(needsStrategy(SHEETED)).toBe(true)
  })
  it('none where a mapping gives it', () => {
    expect(
      needsStrategy(SHEETED, { columns: { 'head.parcelNo': '号' }, constants: { 'head.operatorCode': '9' } }),
    ).toBe(false)
  })
  it('always one where there is a batch number', () => {
    const batch = { ...SHEETED, head: KIND.head, sheet: { name: 's', export_date: null, columns: [], batch: true } }
    expect(needsStrategy(batch)).toBe(true)
  })
  it('no column means what the system fills', () => {
    expect(targetsOf(SHEETED).map((target) => target.place)).not.toContain('head.guid')
  })
})

describe('a column mapping from a proposal', () => {
  const proposal: MappingProposal = {
    sheet: 'S',
    row: 2,
    columns: [
      { letter: 'A', header: '单号', field: 'head.no', label: '编号', by: 'label' },
      { letter: 'B', header: '件', field: null, label: null, by: null },
      { letter: 'C', header: '再一个单号', field: 'head.no', label: '编号', by: 'label' },
    ],
    missing: [{ field: 'line.qty', label: '数量' }],
  }
  it('takes each field once', () => expect(choicesOf(proposal)).toEqual(['head.no', '', '']))
  it('a choice takes the field from the column that had it', () => {
    expect(choose(['head.no', '', ''], 2, 'head.no')).toEqual(['', '', 'head.no'])
    expect(choose(['head.no', '', ''], 0, '')).toEqual(['', '', ''])
    expect(choose(['', '', ''], 1, '')).toEqual(['', '', ''])
  })
  it('says what nothing fills yet', () => {
    expect(stillMissing(['head.no', 'line.qty'], ['head.no'], {})).toEqual(['line.qty'])
    expect(stillMissing(['line.qty'], [], { 'line.qty': ' 1 ' })).toEqual([])
  })
  it('is saved by headers, with what every document has in common', () => {
    expect(
      mappingOf('parcel', ' 我的 ', proposal, ['head.no', 'line.qty', ''], { 'head.x': ' 1 ', 'head.no': '2', e: '' }),
    ).toEqual({
      kind: 'parcel',
      name: '我的',
      columns: { 'head.no': '单号', 'line.qty': '件' },
      constants: { 'head.x': '1' },
    })
  })
})

describe('tasks and what rests too long', () => {
  it('count what occurs, in the order of work', () => {
    const push = { basic: 0, pending: 2, declaring: 0, success: 1, failure: 3 }
    expect(pushCounts({ push }).map((one) => `${one.state}=${one.n}`)).toEqual(['pending=2', 'success=1', 'failure=3'])
  })
  it('ask by what is filled in, days as their first and last moment', () => {
    expect(questionOf({ task_no: ' T1 ', number: '', modified: '2026-11-01~2026-11-02' }, ['modified'])).toEqual({
      task_no: 'T1',
      modified_from: '2026-11-01T00:00:00+08:00',
      modified_to: '2026-11-02T23:59:59.999999+08:00',
    })
  })
  it('is overdue from its time on', () => {
    const now = Date.parse('2026-11-20T15:00:00+08:00')
    expect(isOverdue({ overdue_at: '2026-11-20T14:59:00+08:00' }, now)).toBe(true)
    expect(isOverdue({ overdue_at: '2026-11-20T15:01:00+08:00' }, now)).toBe(false)
    expect(isOverdue({ overdue_at: null }, now)).toBe(false)
  })
})
